import { join } from 'node:path'
import { startPostgres } from '../../test/support/postgres.ts'
import { programsPolicy } from './code-shots.ts'
import { type Nodes, type NodesOptions, startNodes } from './nodes.ts'
import type { Stage } from './trial.ts'
import { type Lanes, openLanes } from './volley.ts'

/** An engine and how many processes answer on it, with connections to all of them. */
export interface RaceStage {
  readonly name: string
  readonly nodes: Nodes
  readonly lanes: Lanes
}

export interface RaceStages {
  readonly all: readonly RaceStage[]
  close(): Promise<void>
}

/** Whoever knows the password is not slowed by its budget: it is the one-time value that all of them want. */
const unhurried = {
  passwordFree: 100_000,
  networkLimit: 100_000,
  siteLimit: 1_000_000,
  serverLimit: 1_000_000,
}

/**
 * SQLite, served by one process, alone and with commands beside it; PostgreSQL, served by one process and by two.
 *
 * Each has a database of its own.
 */
export async function openRaceStages(
  { folder }: Pick<Stage, 'folder'>,
  {
    lanes: count,
    throttle = unhurried,
  }: { readonly lanes: number; readonly throttle?: NodesOptions['throttle'] },
): Promise<RaceStages> {
  const postgres = await startPostgres()
  const stages: RaceStage[] = []
  const close = async () => {
    for (const { nodes, lanes } of stages) {
      lanes.close()
      await nodes.close()
    }
    await postgres.stop()
  }
  try {
    for (const [name, processes, besideEvery] of [
      ['SQLite', 1, undefined],
      ['SQLite and a command beside it', 1, 4],
      ['PostgreSQL', 1, undefined],
      ['PostgreSQL and two processes', 2, undefined],
    ] as const) {
      const own = name.replaceAll(/\W+/g, '-').toLowerCase()
      const nodes = await startNodes({
        folder: join(folder, own),
        processes,
        throttle: { ...throttle },
        toml: programsPolicy,
        env: { WATCHWORD_PASSWORD_HASH_QUEUE: '1024', WATCHWORD_PASSWORD_HASH_DEADLINE: '60' },
        ...(name.startsWith('P') && { databaseUrl: await postgres.createDatabase(own) }),
      })
      const lanes = await openLanes(nodes, { count, ...(besideEvery !== undefined && { besideEvery }) })
      stages.push({ name, nodes, lanes })
    }
  } catch (error) {
    await close()
    throw error
  }
  return { all: stages, close }
}
