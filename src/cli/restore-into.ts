import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { record } from '../actions/caller.ts'
import { checkKeys } from '../actions/check-keys.ts'
import { systemClock } from '../compose.ts'
import type { Config } from '../config/load.ts'
import { type KeyFile, placeKeyFile } from '../crypto/key-file.ts'
import { newId } from '../crypto/random.ts'
import { createSealer } from '../crypto/sealer.ts'
import { StorageFault } from '../domain/faults.ts'
import { holdAlone } from '../store/backup/alone.ts'
import { type BackupHeader, readBackup } from '../store/backup/file.ts'
import { emptyForLoading, hasUsers, loadRows } from '../store/backup/load.ts'
import { type Settled, settler } from '../store/backup/settle.ts'
import { openSnapshot } from '../store/backup/snapshot.ts'
import { type Standing, standingIn } from '../store/backup/standing.ts'
import type { Db } from '../store/database.ts'
import { keyFingerprint } from '../store/installation.ts'
import { migrateTo, migrateWithin, migrationStatus } from '../store/migrate.ts'
import { type DatabaseTarget, openDatabase } from '../store/open.ts'
import { Refusal } from './exit-code.ts'
import { operator } from './open-services.ts'
import { rowProgress } from './progress.ts'

export interface Restored {
  readonly settled: Readonly<Settled>
  /** Whether the database that is replaced could be read, to compare with. */
  readonly knewLater: boolean
  /** Where the file that was replaced is kept. */
  readonly replaced: string | undefined
}

/**
 * Puts a backup in place of the database, wholly or not at all.
 *
 * On SQLite it is built in a file of its own, which takes the place of the old one by one rename; on PostgreSQL it
 * goes into an empty database, in one transaction.
 */
export async function restoreInto(
  config: Config,
  file: string,
  {
    header,
    keys,
    isRehearsal,
  }: {
    /** What the file begins with, which was read to its end already. */
    readonly header: BackupHeader
    readonly keys: { readonly file: KeyFile; readonly isNew: boolean }
    readonly isRehearsal: boolean
  },
): Promise<Restored> {
  const database = resolved(config.database)
  if (database.kind === 'postgres' && isRehearsal) {
    throw new Refusal('A rehearsal needs a database of its own. Name an empty one with WATCHWORD_DATABASE.')
  }
  if (database.kind === 'sqlite' && !isRehearsal && isMissing(database.path)) makePlace(database.path)
  const held = await holdAlone(database)
  // Only now, for another restore may just have ended.
  const isNew = database.kind === 'sqlite' && isMissing(database.path)
  const target: DatabaseTarget =
    database.kind === 'sqlite'
      ? { kind: 'sqlite', path: `${database.path}.${isRehearsal ? 'rehearsal' : 'restoring'}` }
      : database
  const placed = keys.isNew ? placeKeyFile(keys.file) : undefined
  let isInPlace = false
  try {
    const there = isNew ? undefined : await standingOf(database)
    // A server that was started once after all was lost knows nothing of what was used or taken away.
    const later = there?.users.size === 0 ? undefined : there
    if (target.kind === 'sqlite') removeDatabase(target.path)
    const settling = settler({
      later,
      charged: there?.attempts ?? new Map(),
      now: systemClock(),
      window: config.totp.window,
    })
    await load(config, file, { header, target, settling, keyFile: keys.file })
    const replaced =
      database.kind === 'sqlite' && target.kind === 'sqlite' && !isRehearsal
        ? await takePlace(target.path, database.path, isNew)
        : undefined
    isInPlace = !isRehearsal
    return { settled: settling.settled, knewLater: later !== undefined, replaced }
  } finally {
    if (target.kind === 'sqlite') removeDatabase(target.path)
    if (placed !== undefined && !isInPlace) rmSync(placed.path, { force: true })
    if (database.kind === 'sqlite' && isNew && !isRehearsal && !isInPlace) rmSync(database.path)
    await held.release()
  }
}

/** Where a link leads, that is replaced, and not the link. */
function resolved(database: Config['database']): Config['database'] {
  if (database.kind === 'postgres' || !existsSync(database.path)) return database
  return { kind: 'sqlite', path: realpathSync(database.path) }
}

/** There is none, or the place of one that a restore held before it was killed. */
const isMissing = (path: string): boolean => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0

/** An empty file to hold, so that no server starts and no second restore begins meanwhile. */
function makePlace(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  // The log of a file that was taken away would be played into the one that comes.
  for (const suffix of besides) rmSync(`${path}${suffix}`, { force: true })
  closeSync(openSync(path, 'a', 0o600))
  ownAs(dirname(path), path)
}

/** What the database that is replaced says, if it can be read. */
async function standingOf(database: DatabaseTarget): Promise<Standing | undefined> {
  if (database.kind === 'sqlite' && !existsSync(database.path)) return undefined
  try {
    const snapshot = await openSnapshot(database)
    try {
      // One of PostgreSQL with users is refused later, and what guesses at an empty one were charged is all that it knows.
      const tables = snapshot.tables.filter(({ name }) => database.kind === 'sqlite' || name === 'attempts')
      return await standingIn({ ...snapshot, tables })
    } finally {
      await snapshot.close()
    }
  } catch (error) {
    // Often the reason for a restore is that it cannot be read.
    if (error instanceof StorageFault) return undefined
    throw error
  }
}

/** Everything in one transaction: the rows, the tables of this program, the secrets opened, and that it was done. */
async function load(
  config: Config,
  file: string,
  {
    header,
    target,
    settling: { settle, added },
    keyFile,
  }: {
    readonly header: BackupHeader
    readonly target: DatabaseTarget
    readonly settling: ReturnType<typeof settler>
    readonly keyFile: KeyFile
  },
): Promise<void> {
  const progress = rowProgress('Restored')
  const db = await openDatabase(target)
  try {
    if (await hasUsers(db)) throw notEmpty()
    const { applied } = await migrationStatus(db)
    if (applied.some((name) => !header.migrations.includes(name))) {
      throw new Refusal(
        'That database has tables of a later version than the backup. Restore into one without tables, and name it in the settings.',
      )
    }
    await migrateTo(db, header.migrations)
    let done = 0
    await db.transaction().execute(async (tx) => {
      if (!(await emptyForLoading(tx))) throw notEmpty()
      await readBackup(file, async ({ table, rows }) => {
        const { name, columns } = table
        const kept = rows.flatMap((values) => {
          const row = Object.fromEntries(columns.map((column, index) => [column, values[index] ?? null]))
          const after = settle(name, row)
          return after === undefined ? [] : [columns.map((column) => after[column] ?? null)]
        })
        await loadRows(tx, table, kept)
        done += rows.length
        progress.show(done)
      })
      const { table, rows } = added()
      await loadRows(tx, table, rows)
      await migrateWithin(tx)
      await check(tx, config.keyFile, keyFile)
      const event = { event: 'database-restored', madeAt: header.madeAt } as const
      await record({ newId }, tx, { now: systemClock(), by: operator() }, event)
    })
  } finally {
    progress.end()
    await db.destroy()
  }
}

const notEmpty = () =>
  new Refusal('That database has users. Restore into an empty one, and name it in the settings.')

/** Opens every secret that came. */
async function check(tx: Db, path: string, keyFile: KeyFile): Promise<void> {
  const sealer = createSealer(keyFile)
  const { unopenable, unopenableSigningKeys } = await checkKeys({ db: tx, sealer })
  const damaged = unopenable.length + unopenableSigningKeys.length
  if (damaged > 0) {
    throw new Refusal(
      `${damaged} secrets of the backup do not open with ${path}. Put the key file of that time in its place.`,
    )
  }
  if ((await keyFingerprint(tx, sealer.fingerprint())) !== sealer.fingerprint()) {
    throw new Refusal(`The backup is of a database that ${path} does not belong to.`)
  }
}

/** One rename; whenever the machine stops, one of the two is there, whole. The old one stays under another name. */
async function takePlace(restored: string, path: string, isNew: boolean): Promise<string | undefined> {
  // All of it into the one file that is renamed, whoever closed it last.
  await (await holdAlone({ kind: 'sqlite', path: restored })).release()
  const descriptor = openSync(restored, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
  ownAs(path, restored)
  const folder = openSync(dirname(path), 'r')
  try {
    const kept = nameFor(path)
    if (!isNew) linkSync(path, kept)
    renameSync(restored, path)
    return isNew ? undefined : kept
  } finally {
    fsyncSync(folder)
    closeSync(folder)
  }
}

/** A name beside the file that nothing has; of several restores in one second each gets its own. */
function nameFor(path: string): string {
  const kept = `${path}.before-${new Date(systemClock() * 1000).toISOString().replace(/[-:]|\.\d+/g, '')}`
  for (let number = 1; ; number++) {
    const name = number === 1 ? kept : `${kept}-${number}`
    if (!existsSync(name)) return name
  }
}

/** Root may restore what another user serves, and must not lock it out. */
function ownAs(like: string, path: string): void {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = statSync(like)
  chownSync(path, uid, gid)
}

/** What SQLite keeps beside a file. */
const besides = ['-wal', '-shm', '-journal'] as const

function removeDatabase(path: string): void {
  for (const suffix of ['', ...besides]) rmSync(`${path}${suffix}`, { force: true })
}
