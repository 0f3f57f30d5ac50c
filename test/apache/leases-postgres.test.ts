import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Client } from 'pg'
import { disableUser } from '../../src/actions/disable-user.ts'
import { readParams } from '../../src/apache/fastcgi/params.ts'
import { startLeases } from '../../src/apache/leases/start.ts'
import { createAuthorizer } from '../../src/authorizer/authorizer.ts'
import { type Composed, compose } from '../../src/compose.ts'
import { newId, newToken } from '../../src/crypto/random.ts'
import { leaseName } from '../../src/domain/lease.ts'
import { hashToken } from '../../src/domain/token.ts'
import * as sessions from '../../src/store/sessions.ts'
import * as siteSessions from '../../src/store/site-sessions.ts'
import { type Postgres, startPostgres } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import { startWorld, type World } from '../world.ts'

const host = 'https://wiki.example.net'
const secret = 'the secret of the caller'

// Two nodes on one PostgreSQL, each with a folder of its own, as behind two machines with Apache.
describe('leases of several nodes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ww-nodes-'))
  const [here, there] = [join(folder, 'here'), join(folder, 'there')]
  let cluster: Postgres
  let world: World
  let node: Composed
  let leases: ReturnType<typeof startLeases>
  let monitor: Client

  before(async () => {
    cluster = await startPostgres()
    const databaseUrl = await cluster.createDatabase('nodes')
    monitor = await connected(cluster.url('postgres'))
    world = await startWorld({
      databaseUrl,
      ticking: true,
      config: { authorizer: { leaseDirectory: here } },
    })
    const config = { ...world.config, authorizer: { ...world.config.authorizer, leaseDirectory: there } }
    node = await compose(config, { now: world.clock.now })
    const decide = createAuthorizer(node.services, {
      origin: config.origin,
      hosts: new Set([host]),
      metrics: world.edge.metrics,
    })
    leases = startLeases(decide, {
      ...node.services,
      directory: there,
      secret,
      listen: node.listenForRevocations,
      failed: (error) => console.error(error),
    })
  })
  after(async () => {
    await leases?.stop()
    await node?.close()
    await world?.close()
    await monitor?.end()
    await cluster?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  async function somebody(username: string) {
    const id = await world.user(username)
    const token = newToken()
    const { db } = world.services
    const now = world.clock.now()
    const sessionId = newId()
    await sessions.insert(db, {
      ...{ id: sessionId, userId: id, amr: ['pwd', 'otp'], authTime: now, createdAt: now, lastSeenAt: now },
      ...{ expiresAt: now + 3600, address: '', userAgent: '', tokenHash: hashToken(newToken()) },
    })
    await siteSessions.replace(db, { tokenHash: hashToken(token), sessionId, host }, now)
    const file = join(there, 'policies', 'two-factor', leaseName(secret, host, token))
    const date = new Date()
    const digits = [
      date.getMonth() + 1,
      date.getDate(),
      date.getHours(),
      date.getMinutes(),
      date.getSeconds(),
    ]
    const request = readParams(
      new Map(
        Object.entries({
          ...{ WW_POLICY: 'two-factor', REMOTE_ADDR: '192.0.2.7', REQUEST_METHOD: 'GET' },
          ...{ REQUEST_SCHEME: 'https', HTTP_HOST: 'wiki.example.net', REQUEST_URI: '/' },
          HTTP_COOKIE: `__Host-watchword-site=${token}`,
          WW_TIME: `${date.getFullYear()}${digits.map((part) => String(part).padStart(2, '0')).join('')}`,
        }),
      ),
    )
    const ask = async () => (await leases.handle(request)).kind
    return { ask, isLeased: () => existsSync(file) }
  }

  /** What is answered; the connections that are left from before may fail. */
  const answered = (ask: () => Promise<string>) => ask().catch(() => 'nothing')

  it('end when another node revokes them (FT-REV-1)', async () => {
    const { ask, isLeased } = await somebody('ada')
    await until(async () => (await ask()) === 'allow' && isLeased(), 'the node listens and leases')
    await disableUser(world.services, 'ada', { operator: 'test' })
    await until(() => !isLeased(), 'the notice arrives')
    assert.notEqual(await ask(), 'allow')
    assert.ok(!isLeased())
  })

  it('end when the node can no longer learn of that, and begin again when it can', async () => {
    const { ask, isLeased } = await somebody('bob')
    await until(async () => (await ask()) === 'allow' && isLeased(), 'the node listens and leases')
    const ended = await monitor.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'watchword revocations'`,
    )
    assert.equal(ended.rowCount, 1)
    await until(() => !isLeased(), 'the leases end with the connection')
    await until(async () => (await ask()) === 'allow' && isLeased(), 'it listens again')
  })

  it('end when the database is set aside, where nobody tells of what ends at another one (FT-REV-1)', async () => {
    const { ask, isLeased } = await somebody('cleo')
    await until(async () => (await ask()) === 'allow' && isLeased(), 'the node listens and leases')
    await monitor.query('alter system set default_transaction_read_only = on')
    await monitor.query('select pg_reload_conf()')
    // Sooner than by themselves, after half a minute.
    await until(() => !isLeased(), 'the leases end', 25_000)
    await monitor.query('set default_transaction_read_only = off')
    await monitor.query('alter system reset default_transaction_read_only')
    await monitor.query('select pg_reload_conf()')
    await until(async () => (await answered(ask)) === 'allow', 'it answers again')
  })
})

async function connected(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString })
  await client.connect()
  return client
}
