import { type Kysely, SqliteAdapter, sql } from 'kysely'

/** Renamed with the table, for a name belongs to one index of a schema. */
const indexes = ['audit_event_pkey', 'audit_event_user', 'audit_event_name', 'audit_event_address']

/** Said by the table before it becomes a part, so that nobody waits while each row is looked at. */
const CHECK = 'audit_event_is_past'

/** Looks at each row while others go on writing: what lies there is from before `startOfMonths`. */
export async function prepare(db: Kysely<never>): Promise<void> {
  if (isSqlite(db)) return
  const until = await startOfMonths(db)
  const { rows } = await sql`select 1 from audit_event where at >= ${sql.lit(until)} limit 1`.execute(db)
  // Written by a clock that was wrong; `up` moves them and has each row looked at itself.
  if (rows.length > 0) return
  const there = await sql`select 1 from pg_constraint where conname = ${CHECK}`.execute(db)
  if (there.rows.length === 0) {
    await sql`alter table audit_event add constraint ${sql.ref(CHECK)} check (at < ${sql.lit(until)}) not valid`.execute(
      db,
    )
  }
  await sql`alter table audit_event validate constraint ${sql.ref(CHECK)}`.execute(db)
}

/**
 * On PostgreSQL events lie in a part for each month, so that old ones go as a whole. What is there stays where it is,
 * as one part of its own; not a row is copied.
 */
export async function up(db: Kysely<never>): Promise<void> {
  if (isSqlite(db)) return
  const until = sql.lit(await startOfMonths(db))
  await sql`lock table audit_event in access exclusive mode`.execute(db)
  await sql`alter table audit_event rename to audit_event_past`.execute(db)
  for (const name of indexes) {
    const pastName = name.replace('audit_event', 'audit_event_past')
    await sql`alter index ${sql.ref(name)} rename to ${sql.ref(pastName)}`.execute(db)
  }
  await sql`create table audit_event (like audit_event_past) partition by range (at)`.execute(db)
  await sql`alter table audit_event add primary key (at, id)`.execute(db)
  const { schema } = db
  await schema.createIndex('audit_event_user').on('audit_event').columns(['user_id', 'at']).execute()
  await schema.createIndex('audit_event_name').on('audit_event').columns(['event', 'at', 'id']).execute()
  await schema.createIndex('audit_event_address').on('audit_event').columns(['address', 'at', 'id']).execute()
  // Whatever no part is for, because nobody made it in time or a clock is wrong: writing an event never fails for that.
  await sql`create table audit_event_other partition of audit_event default`.execute(db)

  const { rows } = await sql`select 1 from audit_event_past limit 1`.execute(db)
  if (rows.length === 0) {
    await schema.dropTable('audit_event_past').execute()
    return
  }
  await sql`with ahead as (delete from audit_event_past where at >= ${until} returning *)
    insert into audit_event_other select * from ahead`.execute(db)
  await sql`alter table audit_event attach partition audit_event_past for values from (minvalue) to (${until})`.execute(
    db,
  )
  await sql`alter table audit_event_past drop constraint if exists ${sql.ref(CHECK)}`.execute(db)
}

const isSqlite = (db: Kysely<never>) => db.getExecutor().adapter instanceof SqliteAdapter

/** The first month of UTC that is kept apart, far enough ahead that no clock is there yet. */
async function startOfMonths(db: Kysely<never>): Promise<number> {
  const { rows } = await sql<{ start: string }>`
    select extract(epoch from date_trunc('month', now() at time zone 'UTC') + interval '2 months')::text as start`.execute(
    db,
  )
  return Math.trunc(Number(rows[0]?.start))
}
