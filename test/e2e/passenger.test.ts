import assert from 'node:assert/strict'
import { readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Authenticator } from '../support/browser-people.ts'
import { type PassengerWorld, startPassenger } from '../support/passenger.ts'
import { type Reply, send } from '../support/protected.ts'
import { until } from '../support/until.ts'
import { PASSWORD } from '../world.ts'

const KEY = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'

describe('Watchword run by Apache itself, through Passenger', () => {
  let world: PassengerWorld
  /** Cookies of each host by their names. */
  const jars = new Map<string, Map<string, string>>()
  const phone = new Authenticator(KEY)
  before(async () => {
    world = await startPassenger()
    world.command(['createsuperuser', '--username', 'alice', '--password-stdin'], PASSWORD)
    const token = ['user', 'add-token', 'alice', '--totp', '--name', 'Token 1', '--key-stdin']
    world.command(token, KEY)
  })
  after(() => world?.close())

  /** One request over TLS, with the cookies of the host. */
  async function ask(
    address: string,
    more: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ) {
    const url = new URL(address)
    const jar = jars.get(url.host) ?? new Map<string, string>()
    jars.set(url.host, jar)
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await send(world.apache.httpsPort, url, {
      method: more.method ?? 'GET',
      headers: { accept: 'text/html', ...(cookie !== '' && { cookie }), ...more.headers },
      body: more.body,
    })
    for (const line of [answer.headers['set-cookie'] ?? []].flat()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/; Max-Age=0/i.test(line)) jar.delete(name)
      else jar.set(name, value)
    }
    return answer
  }

  /** As a person does: goes where answers lead. */
  async function open(address: string): Promise<Reply> {
    for (let at = address, hops = 0; ; hops++) {
      assert.ok(hops < 10, `in circles at ${at}`)
      const answer = await ask(at)
      const { location } = answer.headers
      if (typeof location !== 'string') return answer
      at = new URL(location, at).href
    }
  }

  const authenticate = (fields: object, headers: Record<string, string> = {}) =>
    ask(`${world.origin}/auth/authenticate/`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(fields),
    })

  const status = async (path: string) => (await ask(`${world.origin}${path}`)).status

  it('is up with Apache, before anybody asked for a page, so that protected places have somebody to ask', async () => {
    await until(() => world.processes().length === 1, 'no process')
    await until(async () => (await ask(`${world.wiki}/secret/page`)).status === 302, 'the place stays shut')
    assert.equal(world.processes().length, 1)
  })

  it('is ready', async () => {
    const answer = await ask(`${world.origin}/readyz`)
    assert.equal(answer.status, 200, answer.body)
    assert.deepEqual([answer.headers['x-powered-by'], answer.headers.status], [undefined, undefined])
    assert.equal(await status('/metrics'), 403)
    assert.equal(await status('/README.md'), 403)
  })

  it('signs in with a password and a code, and notes the address of the connection (SEC-PXY-2, SEC-PXY-3)', async () => {
    const forged = {
      'X-Forwarded-For': '203.0.113.7',
      'X-Forwarded-Host': 'evil.example',
      'X-Forwarded-Proto': 'http',
      X_Forwarded_For: '203.0.113.8',
      Forwarded: 'for=203.0.113.9',
      'X-Real-IP': '203.0.113.10',
      host: 'evil.example',
      Connection: 'close, X-Forwarded-For',
    }
    const wrong = await authenticate({ username: 'alice', password: 'wrong', otp: '123456' }, forged)
    assert.equal(wrong.status, 401, wrong.body)
    const answer = await authenticate({ username: 'alice', password: PASSWORD, otp: phone.code() }, forged)
    assert.equal(answer.status, 200, answer.body)
    assert.match(String(answer.headers['set-cookie']), /__Host-watchword-session=[^;]+;.*Secure/)
    const told = world.command(['audit', 'list', '--json'])
    assert.doesNotMatch(told, /203\.0\.113|evil/)
    assert.match(told, /127\.0\.0\.1/)
    const session = await ask(`${world.origin}/auth/session/`)
    assert.equal(session.status, 200, session.body)
  })

  it('refuses a header that only Passenger may send', async () => {
    const answer = await ask(`${world.origin}/readyz`, { headers: { '!~REMOTE_ADDR': '203.0.113.7' } })
    assert.equal(answer.status, 400)
  })

  it('lets the same Apache protect another place, with the same sign-in (M-11)', async () => {
    const page = await open(`${world.wiki}/secret/page`)
    assert.deepEqual([page.status, page.body], [200, 'the page of the wiki\n'])
  })

  it('answers what is open while it starts anew, and knows the session afterwards', async () => {
    const [old] = world.processes()
    let going = true
    const statuses = new Map<number, number>()
    const visitors = Array.from({ length: 8 }, async () => {
      while (going) {
        const got = await status('/account')
        statuses.set(got, (statuses.get(got) ?? 0) + 1)
      }
    })
    const file = join(world.data, 'restart.txt')
    writeFileSync(file, '')
    // Passenger goes by whole seconds, and the file may be as old as the process.
    utimesSync(file, 2_000_000_000, 2_000_000_000)
    await until(() => {
      const now = world.processes()
      return now.length === 1 && now[0] !== old
    }, 'no new process')
    going = false
    await Promise.all(visitors)
    assert.deepEqual([...statuses.keys()], [200])
    assert.match(world.apache.errorLog(), new RegExp(`App ${old} output: .*"msg":"stopping"`))
  })

  it('opens protected places again after that, by the same session', async () => {
    await until(async () => (await ask(`${world.wiki}/secret/page`)).status === 200, 'the place stays shut')
    const session = await ask(`${world.origin}/auth/session/`)
    assert.equal(session.status, 200, session.body)
  })

  it('goes on when Apache reads its configuration again (apachectl graceful)', async () => {
    const [old] = world.processes()
    process.kill(Number(readFileSync(join(world.apache.folder, 'apache2.pid'), 'utf8')), 'SIGUSR1')
    await until(() => {
      const now = world.processes()
      return now.length === 1 && now[0] !== old
    }, 'no new process')
    await until(async () => (await ask(`${world.wiki}/secret/page`)).status === 200, 'the place stays shut')
    assert.equal(await status('/account'), 200)
  })

  it('comes back by itself when it was killed', async () => {
    const [old = 0] = world.processes()
    process.kill(old, 'SIGKILL')
    await until(async () => (await ask(`${world.wiki}/secret/page`)).status === 200, 'the place stays shut')
    assert.notEqual(world.processes()[0], old)
    assert.equal(await status('/account'), 200)
  })

  it('leaves no secret and no address that works once in the log of Apache (SEC-LOG-3)', () => {
    const secret = readFileSync(join(world.data, 'authorizer-secret'), 'utf8').trim()
    const log = world.apache.errorLog()
    assert.match(log, /Watchword is ready at the socket of Passenger/)
    for (const each of [secret, KEY, PASSWORD, '/setup']) assert.ok(!log.includes(each))
  })
})
