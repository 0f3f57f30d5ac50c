import { type Kysely, SqliteAdapter, sql } from 'kysely'

/** Few of all users, whom administrators ask for in the order of names. */
const indexes = [
  { name: 'user_disabled', where: sql`disabled_at is not null` },
  { name: 'user_superuser', where: sql`is_superuser = 1` },
] as const

/** Builds the indexes beside traffic. One that was stopped half-way is no good, and made anew (PostgreSQL). */
export async function prepare(db: Kysely<never>): Promise<void> {
  if (db.getExecutor().adapter instanceof SqliteAdapter) return
  // It waits for every transaction that is under way, and nobody waits for it.
  await sql`select set_config('lock_timeout', '0', false)`.execute(db)
  for (const { name, where } of indexes) {
    const { rows } =
      await sql`select 1 from pg_index where indexrelid = to_regclass(${name}) and not indisvalid`.execute(db)
    if (rows.length > 0) await sql`drop index concurrently ${sql.ref(name)}`.execute(db)
    await sql`create index concurrently if not exists ${sql.ref(name)} on "user" (canonical_username) where ${where}`.execute(
      db,
    )
  }
}

/** Indexes for the disabled and the superusers, of whom there are few among many. */
export async function up(db: Kysely<never>): Promise<void> {
  for (const { name, where } of indexes) {
    await sql`create index if not exists ${sql.ref(name)} on "user" (canonical_username) where ${where}`.execute(
      db,
    )
  }
}
