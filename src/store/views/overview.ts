import { sql } from 'kysely'
import type { AuditEventName } from '../../domain/audit.ts'
import type { SessionRules } from '../../domain/session.ts'
import type { UnixSeconds } from '../../domain/time.ts'
import type { Db } from '../database.ts'
import { isSqlite } from '../engine.ts'

const DAY = 24 * 3600

/** Days that the overview goes back, today among them. */
const OVERVIEW_DAYS = 30

/** What happened in one day of UTC. */
export interface OverviewDay {
  readonly start: UnixSeconds
  readonly signedIn: number
  /** Wrong passwords, unknown names and disabled users. */
  readonly passwordsRefused: number
  readonly codesRefused: number
  /** Waits that began. */
  readonly throttled: number
  /** Devices that were confirmed, or added by the operator. */
  readonly enrolments: number
}

/** How things stand, and how they went. */
export interface Overview {
  readonly users: {
    readonly total: number
    readonly disabled: number
    /** Who has a device whose codes can be checked. */
    readonly withSecondFactor: number
  }
  /** Sessions that hold. */
  readonly sessions: number
  /** Whether the counts of users and sessions are estimates, because there are too many to count for one page. */
  readonly estimated: boolean
  /** The oldest first. */
  readonly days: readonly OverviewDay[]
}

/** Counts for the front page of administration; some 30 ms for a million events on SQLite. */
export async function overview(
  db: Db,
  { now, rules }: { readonly now: UnixSeconds; readonly rules: SessionRules },
): Promise<Overview> {
  const counts = await countEvents(db, now)
  const today = now - (now % DAY)
  const days = Array.from({ length: OVERVIEW_DAYS }, (_, index) => {
    const start = today - (OVERVIEW_DAYS - 1 - index) * DAY
    const count = (event: AuditEventName) => counts.get(`${event} ${start}`) ?? 0
    return {
      start,
      signedIn: count('signed-in'),
      passwordsRefused: count('password-refused'),
      codesRefused: count('code-refused'),
      throttled: count('throttled'),
      enrolments: count('device-confirmed') + count('device-added'),
    }
  })
  return { ...(await countStanding(db, { now, rules })), days }
}

/** The counts of a moment, exact or as an estimate. */
type Counts = Pick<Overview, 'users' | 'sessions' | 'estimated'>

/** More are not counted one by one on PostgreSQL, where a million takes a second. */
const COUNTED_MAXIMUM = 200_000

async function countStanding(db: Db, at: { now: UnixSeconds; rules: SessionRules }): Promise<Counts> {
  const people = isSqlite(db) ? 0 : await roughSize(db, 'user')
  if (people > COUNTED_MAXIMUM) return estimateStanding(db, people, at)
  return {
    users: await countUsers(db),
    sessions: await countSessions(db, at.rules, at.now),
    estimated: false,
  }
}

/** How many rows a table had when PostgreSQL looked last, which it does by itself after every tenth change; 0 for unknown. */
async function roughSize(db: Db, table: 'user' | 'session'): Promise<number> {
  const { rows } = await sql<{ rows: number }>`
    select reltuples::float8 as rows from pg_class where oid = ${sql.lit(`"${table}"`)}::regclass`.execute(db)
  return Math.max(0, rows[0]?.rows ?? 0)
}

/** Rows of a sample: a share of nine in ten is then known to a third of a percent. */
const SAMPLE = 20_000

/**
 * Looks at pages drawn by chance, always the same ones, so that a page that is shown anew says the same
 * (PostgreSQL, TABLESAMPLE).
 */
async function estimateStanding(
  db: Db,
  people: number,
  { now, rules }: { now: UnixSeconds; rules: SessionRules },
): Promise<Counts> {
  const share = (rows: number) => sql.lit(Math.min(100, (100 * SAMPLE) / Math.max(1, rows)))
  const users = await sql<{ drawn: number; disabled: number; proven: number }>`
    select count(*) as drawn, count(disabled_at) as disabled,
      count(*) filter (where exists (select 1 from otp_device
        where user_id = drawn.id and confirmed_at is not null and otp_device.disabled_at is null)) as proven
    from "user" as drawn tablesample system (${share(people)}) repeatable (1)`.execute(db)
  const open = await roughSize(db, 'session')
  const sessions = await sql<{ drawn: number; alive: number }>`
    select count(*) as drawn,
      count(*) filter (where expires_at > ${now} and last_seen_at > ${now - rules.idleTimeout}) as alive
    from session tablesample system (${share(open)}) repeatable (1)`.execute(db)
  const [{ drawn = 0, disabled = 0, proven = 0 } = {}] = users.rows
  const [{ drawn: drawnSessions = 0, alive = 0 } = {}] = sessions.rows
  const ofAll = (found: number, of: number, all: number) => Math.round((found / Math.max(1, of)) * all)
  return {
    users: {
      total: Math.round(people),
      disabled: ofAll(disabled, drawn, people),
      withSecondFactor: ofAll(proven, drawn, people),
    },
    sessions: ofAll(alive, drawnSessions, open),
    estimated: true,
  }
}

const counted: readonly AuditEventName[] = [
  'signed-in',
  'password-refused',
  'code-refused',
  'throttled',
  'device-confirmed',
  'device-added',
]

/**
 * How often each event happened on each day, by `event start`.
 *
 * Raw, for both engines: one count for each day and event, each of a piece of an index. Grouped by day the same rows
 * would be sorted, in seven times the time.
 */
async function countEvents(db: Db, now: UnixSeconds): Promise<ReadonlyMap<string, number>> {
  const today = now - (now % DAY)
  const starts = Array.from({ length: OVERVIEW_DAYS }, (_, index) => today - index * DAY)
  const { rows } = await sql<{ event: string; start: number; count: number }>`
    with day (start) as (values ${sql.join(starts.map((start) => sql`(cast(${start} as bigint))`))}),
      kind (event) as (values ${sql.join(counted.map((event) => sql`(cast(${event} as text))`))})
    select kind.event as event, day.start as start, (
      select count(*) from audit_event
      where audit_event.event = kind.event and audit_event.at >= day.start and audit_event.at < day.start + ${sql.lit(DAY)}
    ) as count
    from day cross join kind`.execute(db)
  return new Map(rows.map(({ event, start, count }) => [`${event} ${start}`, Number(count)]))
}

async function countUsers(db: Db): Promise<Overview['users']> {
  const all = await db
    .selectFrom('user')
    .select((eb) => [eb.fn.countAll<number>().as('total'), eb.fn.count<number>('disabled_at').as('disabled')])
    .executeTakeFirstOrThrow()
  const { proven } = await db
    .selectFrom('otp_device')
    .select((eb) => eb.fn.count<number>('user_id').distinct().as('proven'))
    .where('confirmed_at', 'is not', null)
    .where('disabled_at', 'is', null)
    .executeTakeFirstOrThrow()
  return { total: Number(all.total), disabled: Number(all.disabled), withSecondFactor: Number(proven) }
}

async function countSessions(db: Db, rules: SessionRules, now: UnixSeconds): Promise<number> {
  const { alive } = await db
    .selectFrom('session')
    .select((eb) => eb.fn.countAll<number>().as('alive'))
    .where('expires_at', '>', now)
    .where('last_seen_at', '>', now - rules.idleTimeout)
    .executeTakeFirstOrThrow()
  return Number(alive)
}
