import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { sql } from 'kysely'
import { Client } from 'pg'
import { authorizeRequest } from '../../src/actions/authorize-request.ts'
import { issueTicket } from '../../src/actions/issue-ticket.ts'
import { makeAppPasswordFor } from '../../src/actions/make-app-password.ts'
import { purgeExpired } from '../../src/actions/purge-expired.ts'
import { resumeSession } from '../../src/actions/resume-session.ts'
import { takeTicket } from '../../src/actions/take-ticket.ts'
import { hashToken, type Token } from '../../src/domain/token.ts'
import { makeMonths, makeMonthsOf } from '../../src/store/audit-months.ts'
import { listUsers } from '../../src/store/views/list-users.ts'
import { overview } from '../../src/store/views/overview.ts'
import { makeAdmin, open } from '../support/admin.ts'
import { rowsOf, YEAR } from '../support/many-rows.ts'
import { type Postgres, startPostgres } from '../support/postgres.ts'
import { expectStatus, PASSWORD, startWorld, type World } from '../world.ts'

const SIZE = { people: 20_000, events: 60_000 }
/** More would be read only by looking through a table. A purge takes 500 at a time, and looks for them first. */
const MOST_ROWS = 1500
/** As many statements as use of everything has at least. */
const MANY = 300

const HOST = 'https://wiki.example.net'

/** What a site does all day, by the real routes and actions. */
async function useEverything(world: World): Promise<void> {
  const { services } = world
  const { browser, phone, id } = await world.enrolled('alice')
  const stranger = world.browser({ address: '198.51.100.9' })
  await stranger.post('/auth/login/', { username: 'nobody', password: PASSWORD })
  await stranger.post('/auth/login/', { username: 'alice', password: 'a wrong password' })
  await stranger.post('/auth/login/', { username: 'alice', password: PASSWORD })
  await stranger.post('/auth/verify/', { otp: '000000' })
  world.clock.advance(30)
  await expectStatus(stranger.post('/auth/verify/', { otp: phone.code() }), 200)
  world.clock.advance(90)
  const credentials = { username: 'alice', password: PASSWORD, otp: phone.code() }
  await expectStatus(browser.post('/auth/authenticate/', credentials), 200)
  for (const path of ['/auth/session/', '/auth/sessions/', '/auth/devices/', '/auth/recovery-codes/']) {
    await expectStatus(browser.get(path), 200)
  }
  for (const page of ['', '/devices', '/recovery-codes', '/app-passwords', '/sessions', '/activity']) {
    await open(browser, `/account${page}`)
  }
  await protectedPlaces(world, browser.cookies.get('__Host-watchword-session') as Token)
  await administration(world, id)
  await expectStatus(browser.post('/auth/logout/'), 200)
  world.clock.advance(8000)
  await purgeExpired(services)
}

/** What Apache asks about, by a browser and by a program. */
async function protectedPlaces({ services, clock }: World, sessionToken: Token): Promise<void> {
  const held = await resumeSession(services, sessionToken)
  assert.ok(held)
  const waitToken = services.newToken()
  const entry = { host: HOST, stateHash: hashToken(waitToken), policy: undefined, address: '192.0.2.7' }
  const issued = await issueTicket(services, held, entry)
  assert.ok(issued.kind === 'issued')
  const siteToken = await takeTicket(services, { ticket: issued.ticket, waitToken, host: HOST })
  const asked = { policy: 'two-factor', host: HOST, address: '192.0.2.7' }
  for (const wait of [0, 60]) {
    clock.advance(wait)
    const seen = await authorizeRequest(services, { ...asked, siteToken, credentials: undefined })
    assert.equal(seen.kind, 'allow')
  }
  const wanted = { name: 'git', policies: ['two-factor'], days: 30 }
  const caller = { by: { operator: 'test' } } as const
  const made = await makeAppPasswordFor(services, 'alice', { wanted, ...caller })
  assert.ok(made.kind === 'made')
  const program = { username: 'alice', password: made.appPassword }
  await authorizeRequest(services, { ...asked, siteToken: undefined, credentials: program })
}

/** What an administrator looks at. */
async function administration(world: World, userId: string): Promise<void> {
  const { browser } = await makeAdmin(world)
  await open(browser, `/admin/users/${userId}`)
  for (const query of [
    '',
    'after=user5000',
    'search=user77',
    'filter=disabled',
    'filter=throttled',
    'group=staff',
  ]) {
    await open(browser, `/admin/users?${query}`)
  }
  await open(browser, '/admin')
  const days = 'from=2026-11-01&to=2026-11-09'
  for (const query of [
    ...['', 'user=user777', 'event=user-unlocked', 'address=10.0.3.9', days, `${days}&event=code-refused`],
    ...['user=user777&event=code-refused', `user=user777&${days}`, `address=10.0.3.9&event=code-refused`],
  ]) {
    await open(browser, `/admin/audit?${query}`)
  }
  const listed = await expectStatus(browser.get('/auth/admin/audit/?limit=20'), 200)
  await expectStatus(browser.get(`/auth/admin/audit/?limit=20&after=${listed.body.next}`), 200)
}

describe('with many rows, PostgreSQL', () => {
  let cluster: Postgres
  let world: World
  let databaseUrl: string
  let big: ReadonlySet<string>
  let explained: Explained[] = []
  before(async () => {
    cluster = await startPostgres()
    databaseUrl = await cluster.createDatabase('plans')
    const client = new Client({ connectionString: databaseUrl })
    await client.connect()
    // The server itself writes down how it carried out each statement, those of its references too.
    for (const [name, value] of [
      ['session_preload_libraries', 'auto_explain'],
      ['auto_explain.log_min_duration', '0'],
      ['auto_explain.log_analyze', 'on'],
      ['auto_explain.log_timing', 'off'],
      ['auto_explain.log_nested_statements', 'on'],
      ['auto_explain.log_format', 'json'],
    ]) {
      await client.query(`ALTER DATABASE plans SET ${name} = '${value}'`)
    }
    world = await startWorld({ databaseUrl })
    const now = world.clock.now()
    await makeMonths(world.services.db, now)
    const months = Array.from({ length: 14 }, (_, index) => now - Math.floor((index * YEAR) / 13))
    await world.services.db.transaction().execute((tx) => makeMonthsOf(tx, months))
    await client.query('SET session_replication_role = replica')
    for (const statement of rowsOf('postgres', SIZE, { hash: 'none', now })) await client.query(statement)
    await client.query('VACUUM ANALYZE')
    const from = cluster.log().length
    await useEverything(world)
    const sizes = await client.query<{ name: string; rows: number }>(
      'SELECT relname AS name, reltuples AS rows FROM pg_class',
    )
    await client.end()
    big = new Set(sizes.rows.filter(({ rows }) => rows > 1000).map(({ name }) => name))
    explained = explanations(cluster.log().slice(from), big)
  })
  after(async () => {
    await world.close()
    await cluster.stop()
  })

  it('reads of its big tables what it looks for, by an index', () => {
    assert.ok(explained.length > MANY, `${explained.length} statements`)
    for (const { text, scanned, read } of explained.filter(({ text }) => !looksAtAll(text))) {
      assert.deepEqual(scanned, [], text)
      assert.ok(read <= MOST_ROWS, `${read} rows for ${text}`)
    }
  })

  it('looks for a part of a name by an index where the operator made one', async () => {
    const client = new Client({ connectionString: databaseUrl })
    await client.connect()
    const guide = readFileSync(join(import.meta.dirname, '../../docs/scaling.md'), 'utf8')
    const [, statements = ''] = /```sql\n(CREATE EXTENSION[\s\S]*?)```/.exec(guide) ?? []
    for (const statement of statements.split(/;\s*/).filter(Boolean)) await client.query(statement)
    await client.query('ANALYZE "user"')
    await client.end()
    const from = cluster.log().length
    const searches = ['user777', 'number 77', 'nobody has this']
    for (const search of searches) {
      await listUsers(world.services.db, { search, limit: 25 })
    }
    const found = explanations(cluster.log().slice(from), big)
    assert.equal(found.length, searches.length)
    for (const { scanned, read } of found) {
      assert.deepEqual(scanned, [])
      assert.ok(read <= MOST_ROWS, String(read))
    }
  })
})

describe('with more people than are counted, PostgreSQL', () => {
  it('estimates how many there are, and says so', async () => {
    const cluster = await startPostgres()
    const world = await startWorld({ databaseUrl: await cluster.createDatabase('estimate') })
    try {
      const { db } = world.services
      const now = world.clock.now()
      const at = { now, rules: world.config.session }
      assert.equal((await overview(db, at)).estimated, false)
      const { id } = await world.enrolled('alice')
      await sql`insert into "user" (id, username, canonical_username, display_name, is_superuser, has_second_factor,
          epoch, created_at, disabled_at)
        select 'u' || n, 'u' || n, 'u' || n, '', 0, 0, 1, 1, case when n % 4 = 0 then 1 end
        from generate_series(1, 240000) as numbers(n)`.execute(db)
      await sql`insert into session (token_hash, id, user_id, amr, auth_time, created_at, last_seen_at, expires_at,
          address, user_agent)
        select 't' || n, 's' || n, ${id}, 'pwd otp', 1, 1, ${now}, ${now} + n % 2, '', ''
        from generate_series(1, 30000) as numbers(n)`.execute(db)
      await sql`analyze`.execute(db)
      const { users, sessions, estimated } = await overview(db, at)
      assert.equal(estimated, true)
      for (const [figure, right] of [
        [users.total, 240_000],
        [users.disabled, 60_000],
        [sessions, 15_000],
      ] as const) {
        assert.ok(Math.abs(figure / right - 1) < 0.1, `${figure} instead of ${right}`)
      }
      assert.deepEqual((await overview(db, at)).users, users)
    } finally {
      await world.close()
      await cluster.stop()
    }
  })
})

describe('with many rows, SQLite', () => {
  let world: World
  const plans = new Map<string, string[]>()
  before(async () => {
    world = await startWorld()
    const { database: target } = world.config
    assert.ok(target.kind === 'sqlite')
    const database = new DatabaseSync(target.path)
    database.exec('PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF')
    for (const statement of rowsOf('sqlite', SIZE, { hash: 'none', now: world.clock.now() })) {
      database.exec(statement)
    }
    const texts = new Set<string>()
    const { prepare } = DatabaseSync.prototype
    DatabaseSync.prototype.prepare = function (text) {
      texts.add(text)
      return prepare.call(this, text)
    }
    try {
      await useEverything(world)
    } finally {
      DatabaseSync.prototype.prepare = prepare
    }
    for (const text of texts) {
      if (!/^(select|update|delete|insert|with)\b/i.test(text)) continue
      const rows = database.prepare(`explain query plan ${text}`).all()
      plans.set(
        text,
        rows.map(({ detail }) => String(detail)),
      )
    }
    database.close()
  })
  after(() => world.close())

  it('reads of its big tables what it looks for, by an index', () => {
    assert.ok(plans.size > 60, `${plans.size} statements`)
    for (const [text, plan] of plans) {
      if (looksAtAll(text)) continue
      const isSorted = plan.some((line) => line.startsWith('USE TEMP B-TREE'))
      const scans = plan.filter((line) => bigTable.test(line))
      // A part of a list, from where the last one ended and in the order of an index or of the table, until there are enough.
      const inOrder = / limit \?/.test(text) && (!isSorted || scans.every((line) => line.includes('INDEX')))
      if (!inOrder) assert.deepEqual(scans, [], `${text}\n${plan.join('\n')}`)
    }
  })
})

const bigTable =
  /^SCAN (user|password_hash|otp_device|session|known_browser|attempts|audit_event|group_member)\b/

/** Statements that have to look at every row, each with what bounds it. */
const wholeTables: readonly RegExp[] = [
  // Part of a name: through the names, which on PostgreSQL an index of the operator's own spares, see docs/scaling.md.
  /like (\$\d|\?) escape/,
  // Counts of the overview, which are estimates where there are more than 200,000 to count.
  /^select count\(/,
  // Events of thirty days by kind, each counted in an index.
  /^\s*with day/,
]

const looksAtAll = (text: string) => wholeTables.some((each) => each.test(text))

interface Explained {
  readonly text: string
  /** Big tables that were read from the first page on. */
  readonly scanned: readonly string[]
  /** Rows that were looked at. */
  readonly read: number
}

/** A node of a plan as PostgreSQL tells it. */
interface Node {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Actual Rows'?: number
  readonly 'Actual Loops'?: number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Rows Removed by Index Recheck'?: number
  readonly Plans?: readonly Node[]
}

function explanations(log: string, big: ReadonlySet<string>): Explained[] {
  return [...log.matchAll(/ plan:\n((?:\t.*\n)+)/g)].map(([, lines = '']) => {
    const { 'Query Text': text, Plan: plan } = JSON.parse(lines.replaceAll('\n\t', '\n')) as {
      'Query Text': string
      Plan: Node
    }
    const nodes = nodesOf(plan)
    const scanned = nodes.filter(
      (node) => node['Node Type'] === 'Seq Scan' && big.has(node['Relation Name'] ?? ''),
    )
    return {
      text,
      scanned: scanned.map((node) => node['Relation Name'] ?? ''),
      read: nodes.reduce((sum, node) => sum + rowsRead(node), 0),
    }
  })
}

const nodesOf = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)]

function rowsRead(node: Node): number {
  if (!/Scan/.test(node['Node Type']) || node['Relation Name'] === undefined) return 0
  const of = (name: 'Actual Rows' | 'Rows Removed by Filter' | 'Rows Removed by Index Recheck') =>
    node[name] ?? 0
  const each = of('Actual Rows') + of('Rows Removed by Filter') + of('Rows Removed by Index Recheck')
  return each * (node['Actual Loops'] ?? 1)
}
