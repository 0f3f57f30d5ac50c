import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createUser } from '../../src/actions/create-user.ts'
import { disableUser } from '../../src/actions/disable-user.ts'
import { type Composed, compose } from '../../src/compose.ts'
import { loadConfig } from '../../src/config/load.ts'
import { newId, newToken } from '../../src/crypto/random.ts'
import { hashToken } from '../../src/domain/token.ts'
import * as sessions from '../../src/store/sessions.ts'
import * as siteSessions from '../../src/store/site-sessions.ts'
import { ask } from '../support/fastcgi-client.ts'
import { requestStream } from '../support/fastcgi-streams.ts'
import { freePort } from '../support/free-port.ts'
import { isInTime } from '../support/pace.ts'
import { type Postgres, startPostgres } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import { environment, runWatchword, startWatchword, type Watchword } from '../support/watchword.ts'
import { PASSWORD } from '../world.ts'

const site = 'https://wiki.example.net'
const withBody = { 'content-type': 'application/json', 'content-length': 2 }

const childrenOf = (pid: number): number[] =>
  execFileSync('ps', ['--ppid', String(pid), '-o', 'pid='], { encoding: 'utf8' })
    .split(/\s+/)
    .filter(Boolean)
    .map(Number)

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** As Apache writes `%{TIME}`. */
function localTime(): string {
  const at = new Date()
  const parts = [at.getMonth() + 1, at.getDate(), at.getHours(), at.getMinutes(), at.getSeconds()]
  return `${at.getFullYear()}${parts.map((part) => String(part).padStart(2, '0')).join('')}`
}

describe('two workers on one machine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ww-workers-'))
  const path = join(folder, 'socket')
  let postgres: Postgres
  let env: Record<string, string>
  let watchword: Watchword
  let composed: Composed
  let authorizer: string
  let secret: string
  before(async () => {
    postgres = await startPostgres()
    const port = await freePort()
    authorizer = `fcgi://127.0.0.1:${port}`
    env = environment(folder, {
      WATCHWORD_DATABASE: await postgres.createDatabase('watchword'),
      WATCHWORD_WORKERS: '2',
      WATCHWORD_LISTEN: `unix:${path}`,
      WATCHWORD_ORIGIN: 'https://auth.example.com',
      WATCHWORD_LOGIN_RETURN_ORIGINS: site,
      WATCHWORD_AUTHORIZER_LISTEN: `127.0.0.1:${port}`,
      WATCHWORD_AUTHORIZER_LEASE_DIRECTORY: join(folder, 'leases'),
    })
    watchword = await startWatchword(folder, env)
    secret = readFileSync(join(folder, 'data', 'authorizer-secret'), 'utf8').trim()
    // Another node, which knows nothing of the leases here.
    const { WATCHWORD_AUTHORIZER_LEASE_DIRECTORY: _, ...others } = env
    composed = await compose(loadConfig({ cwd: folder, env: others }))
  })
  after(async () => {
    await composed?.close()
    await watchword?.stop()
    await postgres?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  interface Got {
    readonly status: number
    readonly text: string
  }

  /** One request over the socket, on a connection of its own unless an agent keeps it. */
  function get(
    target: string,
    { agent, body, onSeen }: { agent?: Agent; body?: Promise<string>; onSeen?: () => void } = {},
  ): Promise<Got> {
    return new Promise((resolve, reject) => {
      const headers =
        body === undefined ? {} : { ...withBody, ...(onSeen !== undefined && { expect: '100-continue' }) }
      const method = body === undefined ? 'GET' : 'POST'
      const request = httpRequest({ socketPath: path, path: target, method, headers, agent: agent ?? false })
      request.on('error', reject)
      // The server says so when it has read the head.
      request.on('continue', () => onSeen?.())
      request.on('response', (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (data) => {
          text += data
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      })
      if (body === undefined) request.end()
      else {
        request.flushHeaders()
        body.then((given) => request.end(given), reject)
      }
    })
  }

  /** How often each worker answered a route, as `/metrics` has it. */
  async function answersOf(route: string): Promise<Map<string, number>> {
    const { text } = await get('/metrics')
    const lines = text.matchAll(/^watchword_http_requests_total\{route="([^"]+)".*worker="(\d+)"\} (\d+)$/gm)
    return new Map(
      [...lines].filter(([, of]) => of === route).map(([, , worker = '', count]) => [worker, Number(count)]),
    )
  }

  /** Somebody who is signed in at the site, and what Apache is told about them there. */
  async function somebody(username: string) {
    const { services } = composed
    const { db } = services
    const user = { displayName: '', isSuperuser: false, mustChangePassword: false, groups: [] }
    const made = await createUser(services, { ...user, username, password: PASSWORD }, { operator: 'test' })
    assert.ok(made.kind === 'created')
    const now = services.now()
    const [token, sessionId] = [newToken(), newId()]
    await sessions.insert(db, {
      ...{
        id: sessionId,
        userId: made.id,
        amr: ['pwd', 'otp'],
        authTime: now,
        createdAt: now,
        lastSeenAt: now,
      },
      ...{ expiresAt: now + 3600, address: '', userAgent: '', tokenHash: hashToken(newToken()) },
    })
    await siteSessions.replace(db, { tokenHash: hashToken(token), sessionId, host: site }, now)
    const question = () =>
      requestStream([
        ...([
          ['WW_POLICY', 'two-factor'],
          ['WW_SECRET', secret],
          ['REMOTE_ADDR', '192.0.2.1'],
        ] as const),
        ...([
          ['REQUEST_METHOD', 'GET'],
          ['REQUEST_SCHEME', 'https'],
          ['HTTP_HOST', 'wiki.example.net'],
        ] as const),
        ...([
          ['REQUEST_URI', '/'],
          ['HTTP_COOKIE', `__Host-watchword-site=${token}`],
        ] as const),
        ['WW_TIME', localTime()],
      ])
    return {
      id: made.id,
      status: async () => (await ask(authorizer, [question()])).status,
      isLeased: () => existsSync(join(folder, 'leases', 'users', made.id)),
    }
  }

  it('say once that they are ready and how to begin, and open the socket with its mode', async () => {
    assert.equal(watchword.stdout().match(/is ready at/g)?.length, 1)
    assert.equal(watchword.address, path)
    await until(() => watchword.stdout().includes('Another way'), 'the offer of the setup')
    assert.equal(watchword.stdout().match(/To make the first one/g)?.length, 1)
    assert.equal(statSync(path).mode & 0o777, 0o660)
    assert.equal(childrenOf(watchword.pid).length, 2)
  })

  it('share kept connections, and any of them tells the metrics of all', async () => {
    const agents = Array.from({ length: 8 }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
    for (let round = 0; round < 3; round++) {
      await Promise.all(agents.map((agent) => get('/healthz', { agent })))
    }
    for (let again = 0; again < 3; again++) {
      const answers = await answersOf('/healthz')
      assert.deepEqual([...answers.keys()].toSorted(), ['1', '2'])
      assert.equal(
        [...answers.values()].reduce((sum, count) => sum + count),
        24,
      )
    }
    for (const agent of agents) agent.destroy()
  })

  it('each refuse what another node has revoked, and end what any of them leased (L-53, FT-REV-1)', async () => {
    const [ada, bea] = [await somebody('ada'), await somebody('bea')]
    for (const { status } of [ada, bea]) for (let i = 0; i < 8; i++) assert.equal(await status(), 200)
    assert.deepEqual([ada.isLeased(), bea.isLeased()], [true, true])
    await disableUser(composed.services, { id: ada.id }, { operator: 'test' })
    for (let i = 0; i < 8; i++) assert.equal(await ada.status(), 401)
    await until(() => !ada.isLeased(), 'the end of the lease')
    assert.equal(bea.isLeased(), true)
  })

  it('are replaced when one is killed, while the other answers (SEC-FCGI-8)', async () => {
    const dora = await somebody('dora')
    await until(async () => (await dora.status()) === 200 && dora.isLeased(), 'a lease')
    const before = childrenOf(watchword.pid)
    const [victim = 0] = before
    process.kill(victim, 'SIGKILL')
    await until(() => !isAlive(victim), 'the end of the worker')
    // Nobody is left who would end what that one leased.
    await until(() => !dora.isLeased(), 'the end of leases')
    assert.equal((await get('/readyz')).status, 200)
    assert.equal(await dora.status(), 200)
    await until(
      async () => (await answersOf('/metrics')).size === 2 && childrenOf(watchword.pid).length === 2,
      'two workers',
    )
    assert.match(watchword.stderr(), /"worker":0.*"number":1.*"worker ended"|"number":1.*worker ended/)
    assert.equal(await dora.status(), 200)
    assert.equal(statSync(path).mode & 0o777, 0o660)
  })

  it('refuse without the database and answer again when it is back, with nobody having started them anew (FT-DB-1, SEC-FCGI-8, SEC-ERR-2)', async () => {
    const cleo = await somebody('cleo')
    const before = childrenOf(watchword.pid).toSorted()
    await postgres.kill()
    for (let i = 0; i < 6; i++) {
      assert.equal(await cleo.status(), 503)
      assert.equal((await get('/readyz')).status, 503)
      assert.equal((await get('/healthz')).status, 200)
    }
    await postgres.start()
    const back = async () => (await get('/readyz')).status === 200 && (await cleo.status()) === 200
    const began = performance.now()
    await until(back, 'an answer')
    assert.ok(await isInTime(performance.now() - began, 5000), 'an answer within five seconds')
    for (let i = 0; i < 6; i++) assert.equal(await cleo.status(), 200)
    assert.deepEqual(childrenOf(watchword.pid).toSorted(), before)
  })

  it('answer what is open when they are told to end, and leave nothing behind', async () => {
    const body = Promise.withResolvers<string>()
    let seen = 0
    const post = () => get('/auth/login/', { body: body.promise, onSeen: () => seen++ })
    const open = [post(), post()]
    await until(() => seen === 2, 'both under way')
    const workers = childrenOf(watchword.pid)
    const ended = watchword.stop()
    await until(() => watchword.stderr().split('"stopping"').length === 4, 'the word of all three')
    body.resolve('{}')
    for (const { status } of await Promise.all(open)) assert.equal(status, 400)
    assert.equal(await ended, 0)
    assert.deepEqual(workers.filter(isAlive), [])
    assert.throws(() => statSync(path), /ENOENT/)
  })

  it('cannot share a file of SQLite', async () => {
    const alone = environment(folder, { WATCHWORD_WORKERS: '2' })
    await assert.rejects(
      runWatchword(folder, alone, { args: ['serve'] }),
      /WATCHWORD_WORKERS: workers: 2 processes cannot share a file of SQLite/,
    )
  })

  it('say once why they cannot start, and end', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const address = taken.address()
    const port = typeof address === 'object' ? address?.port : 0
    try {
      for (const variable of ['WATCHWORD_LISTEN', 'WATCHWORD_AUTHORIZER_LISTEN']) {
        const refused = runWatchword(folder, { ...env, [variable]: `127.0.0.1:${port}` }, { args: ['serve'] })
        await assert.rejects(refused, (error: Error) => {
          const said = error.message.match(/cannot be used \(EADDRINUSE\)/g)
          return said?.length === 1
        })
      }
    } finally {
      taken.close()
    }
  })

  it('end at once at a second signal', async () => {
    watchword = await startWatchword(folder, env)
    const workers = childrenOf(watchword.pid)
    let isSeen = false
    const onSeen = () => {
      isSeen = true
    }
    const open = get('/auth/login/', { body: new Promise<string>(() => {}), onSeen })
    const cut = assert.rejects(open)
    await until(() => isSeen, 'one under way')
    const ended = watchword.stop()
    await until(() => watchword.stderr().split('"stopping"').length === 4, 'the word of all three')
    // Two signals within a second count as one.
    while (isAlive(watchword.pid)) {
      process.kill(watchword.pid, 'SIGTERM')
      await delay(100)
    }
    assert.equal(await ended, null)
    await until(() => !workers.some(isAlive), 'the end of the workers')
    await cut
  })

  it('end with the process that started them, however it ends (FT-CRASH-1)', async () => {
    watchword = await startWatchword(folder, env)
    const workers = childrenOf(watchword.pid)
    assert.equal(workers.length, 2)
    await watchword.kill()
    await until(() => !workers.some(isAlive), 'the end of the workers')
    // The socket that was left behind is in nobody's way.
    watchword = await startWatchword(folder, env)
    assert.equal((await get('/readyz')).status, 200)
  })
})
