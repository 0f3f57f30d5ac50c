import { sql } from 'kysely'
import type { UnixSeconds } from '../domain/time.ts'
import type { Db } from './database.ts'
import { isSqlite } from './engine.ts'
import { isLockConflict } from './sql-state.ts'

/** A part of the audit log on PostgreSQL: the events from one instant to another. */
interface Part {
  readonly name: string
  readonly from: UnixSeconds
  /** The first instant that is another's. */
  readonly until: UnixSeconds
}

/**
 * Months that are there before they begin; who starts or purges too seldom for that has its events in the
 * part for all others.
 */
const MONTHS_AHEAD = 2

/** How long those who write may be held up for a part, as PostgreSQL reads it; the next purge tries again. */
const LOCK_TIMEOUT = '1s'

/** Of all that makes and drops parts, one at a time; any number that nothing else uses. */
const LOCK_ID = 8_023_117_455

/** Makes the parts of this month and the next ones; SQLite has none (PostgreSQL, range partitions). */
export async function makeMonths(db: Db, now: UnixSeconds): Promise<void> {
  if (isSqlite(db)) return
  const wanted = [monthOf(now)]
  for (let ahead = 0; ahead < MONTHS_AHEAD; ahead++) wanted.push(monthOf(wanted.at(-1)?.until ?? now))
  const missing = (parts: readonly Part[]) => wanted.filter((month) => !parts.some(covers(month.from)))
  if (missing(await partsOf(db)).length === 0) return
  await alone(db, async (tx) => {
    for (const month of missing(await partsOf(tx))) await make(tx, month)
  })
}

/** Drops the parts whose events are all older; gives how many. What else is older goes by rows, see `audit-log.ts`. */
export async function dropMonths(db: Db, before: UnixSeconds): Promise<number> {
  if (isSqlite(db)) return 0
  const isOver = ({ until }: Part) => until <= before
  if (!(await partsOf(db)).some(isOver)) return 0
  const dropped = await alone(db, async (tx) => {
    const over = (await partsOf(tx)).filter(isOver)
    for (const { name } of over) await sql`drop table ${sql.table(name)}`.execute(tx)
    return over.length
  })
  return dropped ?? 0
}

/** Makes the parts of events that come from elsewhere, inside the caller's transaction; nobody else is there. */
export async function makeMonthsOf(tx: Db, times: readonly UnixSeconds[]): Promise<void> {
  if (isSqlite(tx) || !(await isPartitioned(tx))) return
  const parts = [...(await partsOf(tx))]
  for (const at of times) {
    if (parts.some(covers(at))) continue
    const month = monthOf(at)
    await make(tx, month)
    parts.push(month)
  }
}

const covers =
  (at: UnixSeconds) =>
  ({ from, until }: Part) =>
    from <= at && at < until

/** The month of UTC that an instant is in. */
function monthOf(at: UnixSeconds): Part {
  const date = new Date(at * 1000)
  const start = (later: number) => Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + later, 1) / 1000
  const name = `audit_event_${date.toISOString().slice(0, 7).replace('-', '_')}`
  return { name, from: start(0), until: start(1) }
}

/** All parts but the one for whatever no other is for. */
async function partsOf(db: Db): Promise<readonly Part[]> {
  const { rows } = await sql<{ name: string; bound: string }>`
    select relname as name, pg_get_expr(relpartbound, pg_class.oid) as bound
    from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent = to_regclass('audit_event')`.execute(db)
  return rows.flatMap(({ name, bound }) => {
    const [, from, until] = /FROM \('?(MINVALUE|-?\d+)'?\) TO \('?(-?\d+)'?\)/.exec(bound) ?? []
    if (from === undefined || until === undefined) return []
    return [
      { name, from: from === 'MINVALUE' ? Number.NEGATIVE_INFINITY : Number(from), until: Number(until) },
    ]
  })
}

/** Whether there are parts at all: the tables of an earlier program have none. */
async function isPartitioned(db: Db): Promise<boolean> {
  const found = sql`select 1 from pg_partitioned_table where partrelid = to_regclass('audit_event')`
  return (await found.execute(db)).rows.length > 0
}

async function make(tx: Db, { name, from, until }: Part): Promise<void> {
  const [first, end] = [sql.lit(from), sql.lit(until)]
  // Not as a part of the log at once, which would hold up all who write to it.
  await sql`create table ${sql.table(name)} (like audit_event)`.execute(tx)
  // Else an event of the month could come there after they were moved.
  await sql`lock table audit_event_other in access exclusive mode`.execute(tx)
  await sql`with moved as (delete from audit_event_other where at >= ${first} and at < ${end} returning *)
    insert into ${sql.table(name)} select * from moved`.execute(tx)
  await sql`alter table audit_event attach partition ${sql.table(name)} for values from (${first}) to (${end})`.execute(
    tx,
  )
}

/** Runs the work in a transaction, unless another node does such work at this moment or somebody reads for long. */
async function alone<Result>(db: Db, work: (tx: Db) => Promise<Result>): Promise<Result | undefined> {
  const working = db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ free: boolean }>`
      select set_config('lock_timeout', ${LOCK_TIMEOUT}, true), set_config('statement_timeout', '0', true),
        pg_try_advisory_xact_lock(${sql.lit(LOCK_ID)}) as free`.execute(tx)
    return rows[0]?.free === true ? work(tx) : undefined
  })
  return working.catch((error: unknown) => {
    if (isLockConflict(error)) return undefined
    throw error
  })
}
