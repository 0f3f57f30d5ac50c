import { sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { StorageFault } from '../domain/faults.ts'
import type { Db } from './database.ts'
import { isSqlite } from './engine.ts'
import { inMigrationTurn, waitForLocksShortly } from './migration-turn.ts'
import { migrations } from './migrations/index.ts'

/** What the database holds compared with what this program brings. */
export interface MigrationStatus {
  readonly applied: readonly string[]
  readonly pending: readonly string[]
  /** Applied by a newer program; this one does not know them. */
  readonly unknown: readonly string[]
}

/** The database was migrated by a newer program; this one would misread it. */
export class NewerDatabaseError extends Error {
  override readonly name = 'NewerDatabaseError'
}

/** Compares the database with this program; changes nothing. */
export async function migrationStatus(db: Db): Promise<MigrationStatus> {
  const applied = (await hasMigrationTable(db)) ? await appliedNames(db) : []
  const known = Object.keys(migrations)
  return {
    applied,
    pending: known.filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !known.includes(name)),
  }
}

/**
 * Brings the database up to date, all or nothing, while older programs go on using it; refuses one that is newer than
 * the program (SEC-DB-3).
 */
export async function migrate(db: Db): Promise<MigrationStatus> {
  const status = refuseNewer(await migrationStatus(db))
  if (status.pending.length === 0) return status
  await inMigrationTurn(db, async (own) => {
    // Another program may have done it before our turn came.
    const { applied, pending } = refuseNewer(await migrationStatus(own))
    if (applied.length > 0) {
      for (const name of pending) {
        await waitForLocksShortly(own)
        await migrations[name]?.prepare?.(own.withTables<never>())
      }
    }
    await waitForLocksShortly(own)
    await toLatest(own)
  })
  return migrationStatus(db)
}

/**
 * Brings a database that nobody else uses up to date inside the caller's transaction, however long a statement takes.
 *
 * @throws NewerDatabaseError when it is newer than the program.
 */
export async function migrateWithin(tx: Db): Promise<void> {
  refuseNewer(await migrationStatus(tx))
  if (!isSqlite(tx)) await sql`select set_config('statement_timeout', '0', true)`.execute(tx)
  await toLatest(tx)
}

async function toLatest(db: Db): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...migrations }) },
    // Whoever follows the repository between releases may have a later one already; none touches what another made.
    allowUnorderedMigrations: true,
  })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) throw error instanceof Error ? error : new StorageFault('The migration failed.')
}

function refuseNewer(status: MigrationStatus): MigrationStatus {
  if (status.unknown.length === 0) return status
  throw new NewerDatabaseError(
    `The database is newer than this program: it knows ${status.unknown.join(', ')}. Start the newer Watchword, or restore a backup.`,
  )
}

/**
 * Makes the tables of an earlier program, for a copy of its rows.
 *
 * @throws NewerDatabaseError when this program does not know one of the migrations.
 */
export async function migrateTo(db: Db, names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => migrations[name] === undefined)
  if (unknown.length > 0) {
    throw new NewerDatabaseError(
      `The backup is of a newer program: it knows ${unknown.join(', ')}. Restore it with the newer Watchword.`,
    )
  }
  const some = Object.fromEntries(Object.entries(migrations).filter(([name]) => names.includes(name)))
  const { error } = await new Migrator({
    db,
    provider: { getMigrations: async () => some },
  }).migrateToLatest()
  if (error !== undefined) throw error instanceof Error ? error : new StorageFault('The migration failed.')
}

async function hasMigrationTable(db: Db): Promise<boolean> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  return tables.some(({ name }) => name === 'kysely_migration')
}

async function appliedNames(db: Db): Promise<string[]> {
  // Through the builder: SQLite's driver takes whatever else it is given for a writer.
  const rows = await db
    .withTables<{ kysely_migration: { name: string } }>()
    .selectFrom('kysely_migration')
    .select('name')
    .orderBy('name')
    .execute()
  return rows.map(({ name }) => name)
}
