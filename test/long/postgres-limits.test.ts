import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Client } from 'pg'
import { compose } from '../../src/compose.ts'
import { errorOf, signIn, stranger } from '../http/journeys.ts'
import { isInTime } from '../support/pace.ts'
import { type Postgres, startPostgres } from '../support/postgres.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'
import { type Enrolled, PASSWORD, type Reply, startWorld, type World } from '../world.ts'

describe('at the limits of PostgreSQL (FT-DB-1, SEC-DOC-9, SEC-CON-3)', () => {
  let postgres: Postgres
  let proxy: TcpProxy
  let world: World
  let monitor: Client
  let user: Enrolled
  before(async () => {
    postgres = await startPostgres()
    await postgres.createDatabase('watchword')
    proxy = await startTcpProxy({
      to: { path: join(postgres.folder, '.s.PGSQL.5432') },
      protocol: 'postgres',
    })
    world = await startWorld({
      databaseUrl: `postgres://postgres@127.0.0.1:${proxy.port}/watchword`,
      config: { databaseConnections: 3 },
    })
    user = await world.enrolled('ada')
    monitor = await connected('watchword')
  })
  after(async () => {
    await monitor?.end()
    await world?.close()
    await proxy?.stop()
    await postgres?.stop()
  })

  async function connected(database: string): Promise<Client> {
    const client = new Client({ connectionString: postgres.url(database) })
    // Whoever is thrown out is told by the next call.
    client.on('error', () => {})
    await client.connect()
    return client
  }

  const check = () => user.browser.clone().get('/auth/session/')
  const login = () => stranger(world).post('/auth/login/', { username: 'ada', password: PASSWORD })

  function assertUnavailable(reply: Reply): void {
    assert.deepEqual(errorOf(reply), [503, 'storage_unavailable'])
    assert.equal(reply.headers.get('retry-after'), '5')
    assert.deepEqual(reply.setCookies, [])
  }

  async function timed<T>(work: Promise<T>): Promise<{ readonly result: T; readonly seconds: number }> {
    const began = performance.now()
    const result = await work
    return { result, seconds: (performance.now() - began) / 1000 }
  }

  it('a lock that somebody holds is waited for and no longer, whoever waits for a connection too', async () => {
    await monitor.query('begin; lock table session in access exclusive mode')
    const { result, seconds } = await timed(Promise.all(Array.from({ length: 12 }, check)))
    for (const reply of result) assertUnavailable(reply)
    assert.ok(seconds > 4 && (await isInTime(seconds, 15)), `${seconds} s`)
    await monitor.query('rollback')
    assert.equal((await check()).status, 200)
    assert.equal((await signIn(world, user)).cookies.size > 0, true)
  })

  it('no connection to be had is said at once, and the next request is answered when there is one', async () => {
    const others: Client[] = []
    try {
      for (;;) others.push(await connected('postgres'))
    } catch (error) {
      assert.match(String(error), /too many clients/)
    }
    const { result, seconds } = await timed(Promise.all(Array.from({ length: 12 }, check)))
    for (const reply of result) if (reply.status !== 200) assertUnavailable(reply)
    assert.ok(await isInTime(seconds, 10), `${seconds} s`)
    await Promise.all(others.map((other) => other.end()))
    assert.deepEqual(
      new Set((await Promise.all(Array.from({ length: 12 }, check))).map(({ status }) => status)),
      new Set([200]),
    )
  })

  it('a database that has become read only changes nothing, is not ready, and starts nobody', async () => {
    await monitor.query('alter database watchword set default_transaction_read_only = on')
    proxy.cut()
    await until(async () => errorOf(await stranger(world).get('/readyz'))[1] === 'not_ready', 'not ready')
    assertUnavailable(await login())
    await assert.rejects(compose(world.config), /a replica, or set to be read only/)
    await monitor.query(
      'set default_transaction_read_only = off; alter database watchword reset default_transaction_read_only',
    )
    // Whoever only asks whether we are ready, as a balancer does, hears so in the end.
    await until(async () => (await stranger(world).get('/readyz')).status === 200, 'ready again')
    await until(async () => (await login()).status === 200, 'a login')
  })

  it('a network that falls silent is given up, and found again (FT-NET-1)', async () => {
    assert.equal((await check()).status, 200)
    proxy.silence()
    const { result, seconds } = await timed(Promise.all(Array.from({ length: 6 }, check)))
    for (const reply of result) assertUnavailable(reply)
    assert.ok(await isInTime(seconds, 20), `${seconds} s`)
    proxy.speak()
    assert.equal((await check()).status, 200)
    assert.equal((await signIn(world, user)).cookies.size > 0, true)
  })

  it('a network that is slow is waited for (FT-NET-1)', async () => {
    proxy.slow(20)
    assert.equal((await check()).status, 200)
    proxy.slow(0)
  })
})
