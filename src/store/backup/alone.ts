import { existsSync } from 'node:fs'
import { StorageFault, storageFault } from '../../domain/faults.ts'
import type { DatabaseTarget } from '../open.ts'

/** A database that nobody else writes to until it is let go. */
export interface Held {
  release(): Promise<void>
}

/** Somebody uses the database, such as a server that runs, or nobody can say whether. */
export class InUseError extends Error {
  override readonly name = 'InUseError'
}

/**
 * Holds a database that nobody else has open.
 *
 * A file that is not there is held by nobody. On PostgreSQL the other programs are told by the name that each of them
 * gives to its connections, at this moment only.
 *
 * @throws InUseError when another program has it open.
 */
export async function holdAlone(target: DatabaseTarget): Promise<Held> {
  if (target.kind === 'postgres') {
    const { countOthers } = await import('../postgres.ts')
    const others = await countOthers(target.url)
    if (others > 0) throw inUse(`${others} connections`)
    return { release: async () => undefined }
  }
  if (!existsSync(target.path)) return { release: async () => undefined }
  const { holdFile } = await import('./sqlite-alone.ts')
  try {
    return holdFile(target.path)
  } catch (cause) {
    const fault = cause instanceof StorageFault ? cause : storageFault(cause)
    if (/locked/.test(fault.message)) throw inUse('the file is open elsewhere')
    if (/not a database/.test(fault.message)) throw new InUseError(unreadable(target.path))
    throw fault
  }
}

const inUse = (how: string) =>
  new InUseError(
    `The database is in use (${how}). Stop every server and command of Watchword that uses it first.`,
  )

const unreadable = (path: string) =>
  `${path} is not a database, or is damaged so that nobody can say who uses it. Stop every server, and move the file away.`
