import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { newId } from '../../src/crypto/random.ts'
import * as auditLog from '../../src/store/audit-log.ts'
import { dropMonths, makeMonths, makeMonthsOf } from '../../src/store/audit-months.ts'
import { loadRows } from '../../src/store/backup/load.ts'
import type { Database, Db } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { migrations } from '../../src/store/migrations/index.ts'
import { openDatabase } from '../../src/store/open.ts'
import { repeatingTransactions } from '../../src/store/repeated.ts'
import { listAuditEvents } from '../../src/store/views/list-audit.ts'
import { type Postgres, startPostgres } from '../support/postgres.ts'

const at = (date: string) => Date.parse(`${date}Z`) / 1000
const NOVEMBER = at('2026-11-23T12:00:00')

/** The audit log of PostgreSQL, which lies in a part for each month. */
describe('the months of the audit log', () => {
  let cluster: Postgres
  let db: Db
  let url: string
  before(async () => {
    cluster = await startPostgres()
  })
  beforeEach(async (t) => {
    url = await cluster.createDatabase(`months_${newId()}`)
    db = await open(url)
    if (!t.name.startsWith('takes over')) await migrate(db)
  })
  after(() => cluster.stop())

  const opened: Db[] = []
  after(() => Promise.all(opened.map((each) => each.destroy())))
  async function open(url: string): Promise<Db> {
    const own = await openDatabase({ kind: 'postgres', url })
    opened.unshift(own)
    return own
  }

  const append = (time: number, into: Db = db) =>
    auditLog.append(into, {
      ...{ event: 'user-enabled', actor: { kind: 'system' }, id: newId(), at: time },
      ...{ userId: undefined, address: '192.0.2.1', userAgent: undefined, requestId: undefined },
    })

  /** How many events lie in each part. */
  async function parts(): Promise<Record<string, number>> {
    const all = await sql<{ name: string }>`
      select relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid
      where inhparent = 'audit_event'::regclass order by relname`.execute(db)
    const rows = await sql<{ name: string; count: number }>`
      select tableoid::regclass::text as name, count(*) as count from audit_event group by 1`.execute(db)
    const counts = new Map(rows.rows.map(({ name, count }) => [name, count]))
    return Object.fromEntries(
      all.rows.map(({ name }) => [name.replace('audit_event_', ''), counts.get(name) ?? 0]),
    )
  }

  it('takes over what was written before as one part, not a row less, also of a clock that was ahead', async () => {
    const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } })
    await migrator.migrateTo('0008-audit-order')
    const events: Database['audit_event'][] = []
    for (const time of [1, at('2024-02-29T00:00:00'), NOVEMBER, NOVEMBER, at('2099-01-01T00:00:00')]) {
      const id = newId()
      events.push({
        ...{ id, at: time, event: 'signed-in', outcome: 'success', actor_kind: 'anonymous', actor_id: null },
        ...{ user_id: 'u', address: null, user_agent: null, request_id: null, fields: `{"n":"${id}"}` },
      })
    }
    await db.insertInto('audit_event').values(events).execute()
    await migrate(db)
    const kept = await db.selectFrom('audit_event').selectAll().orderBy('at').orderBy('id').execute()
    assert.deepEqual(
      kept,
      events.toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1)),
    )
    assert.deepEqual(await parts(), { other: 1, past: 4 })
    const listed = await listAuditEvents(db, { userId: 'u', order: 'latest-first', limit: 10 })
    assert.equal(listed.length, 5)
  })

  it('takes over a log of any size without a wait for it: each row was looked at before', async () => {
    const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } })
    await migrator.migrateTo('0008-audit-order')
    await append(NOVEMBER)
    const { prepare } = migrations['0009-audit-months'] ?? {}
    // Killed half-way, and run again.
    await prepare?.(db.withTables<never>())
    await prepare?.(db.withTables<never>())
    const { rows } =
      await sql`select convalidated from pg_constraint where conname = 'audit_event_is_past'`.execute(db)
    assert.deepEqual(rows, [{ convalidated: true }])
    await migrate(db)
    assert.deepEqual(await parts(), { other: 0, past: 1 })
    assert.equal(
      (await sql`select 1 from pg_constraint where conname = 'audit_event_is_past'`.execute(db)).rows.length,
      0,
    )
  })

  it('are made ahead, once, however many nodes do so at the same moment', async () => {
    await Promise.all(Array.from({ length: 4 }, () => makeMonths(db, NOVEMBER)))
    const made = { '2026_11': 0, '2026_12': 0, '2027_01': 0, other: 0 }
    assert.deepEqual(await parts(), made)
    await append(at('2026-10-31T23:59:59'))
    await append(at('2026-11-01T00:00:00'))
    await append(at('2026-11-30T23:59:59'))
    await append(at('2026-12-01T00:00:00'))
    await makeMonths(db, NOVEMBER)
    assert.deepEqual(await parts(), { ...made, '2026_11': 2, '2026_12': 1, other: 1 })
  })

  it('take in what was written before they were made, and an event is never refused for lack of one', async () => {
    await append(NOVEMBER)
    await append(at('2031-05-05T05:05:05'))
    assert.deepEqual(await parts(), { other: 2 })
    await makeMonths(db, NOVEMBER)
    assert.deepEqual(await parts(), { '2026_11': 1, '2026_12': 0, '2027_01': 0, other: 1 })
    const listed = await listAuditEvents(db, { order: 'oldest-first', limit: 10 })
    assert.deepEqual(
      listed.map((event) => event.at),
      [NOVEMBER, at('2031-05-05T05:05:05')],
    )
  })

  it('go as a whole when all of a month is older, and not a second earlier', async () => {
    await makeMonths(db, NOVEMBER)
    await append(NOVEMBER)
    await append(at('2026-12-01T00:00:00'))
    await append(1)
    assert.equal(await dropMonths(db, at('2026-11-30T23:59:59')), 0)
    assert.equal(await dropMonths(db, at('2026-12-01T00:00:00')), 1)
    assert.deepEqual(await parts(), { '2026_12': 1, '2027_01': 0, other: 1 })
    // What lies elsewhere goes by rows.
    assert.equal(await auditLog.purge(db, at('2026-12-01T00:00:00'), 10), 1)
    assert.deepEqual(await parts(), { '2026_12': 1, '2027_01': 0, other: 0 })
  })

  it('wait a second for whoever reads the log, and let everybody else go on', async () => {
    await makeMonths(db, NOVEMBER)
    const reading = Promise.withResolvers<void>()
    const done = Promise.withResolvers<void>()
    const backup = db.transaction().execute(async (tx) => {
      await tx.selectFrom('audit_event').select('id').execute()
      reading.resolve()
      await done.promise
    })
    await reading.promise
    assert.equal(await dropMonths(db, at('2026-12-01T00:00:00')), 0)
    await makeMonths(db, at('2027-06-01T00:00:00'))
    await append(NOVEMBER)
    done.resolve()
    await backup
    assert.equal(await dropMonths(db, at('2026-12-01T00:00:00')), 1)
  })

  it('let an event that was on its way to the part for all others begin anew', async () => {
    const making = Promise.withResolvers<void>()
    const locked = Promise.withResolvers<void>()
    const month = db.transaction().execute(async (tx) => {
      await sql`lock table audit_event_other in access exclusive mode`.execute(tx)
      locked.resolve()
      await making.promise
      await makeMonthsOf(tx, [NOVEMBER])
    })
    await locked.promise
    const repeating = repeatingTransactions(await open(url))
    const appended = repeating.transaction().execute((tx) => append(NOVEMBER, tx))
    const waiting = sql<{ waits: boolean }>`select exists (select 1 from pg_locks where not granted) as waits`
    while ((await waiting.execute(db)).rows[0]?.waits !== true) await delay(10)
    making.resolve()
    await Promise.all([month, appended])
    assert.deepEqual(await parts(), { '2026_11': 1, other: 0 })
  })

  it('are made for what a restore brings', async () => {
    const columns = ['id', 'at', 'event', 'outcome', 'actor_kind', 'fields']
    const row = (time: number) => [newId(), time, 'signed-in', 'success', 'system', '{}']
    const rows = [
      row(at('2025-12-31T23:59:59')),
      row(at('2026-01-01T00:00:00')),
      row(at('2026-01-02T00:00:00')),
    ]
    await db.transaction().execute((tx) => loadRows(tx, { name: 'audit_event', columns }, rows))
    assert.deepEqual(await parts(), { '2025_12': 1, '2026_01': 2, other: 0 })
    await db.transaction().execute((tx) => makeMonthsOf(tx, [at('2026-01-31T00:00:00')]))
    assert.deepEqual(Object.keys(await parts()), ['2025_12', '2026_01', 'other'])
  })
})
