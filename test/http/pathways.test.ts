import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { routes } from '../../src/http/api/routes.ts'
import { type Browser, PASSWORD, startWorld, type World } from '../world.ts'
import { halfSignedIn, LOGIN, SESSION, stranger } from './journeys.ts'

/** A body that each route would take from the right caller; a route that is missing here fails the tests below. */
const bodies: Record<string, object | undefined> = {
  'POST /auth/login/': { username: 'nobody', password: 'wrong' },
  'POST /auth/register-secret/': {},
  'POST /auth/authenticate/': { username: 'nobody', password: 'wrong', otp: '123456' },
  'POST /auth/verify/': { otp: 'wrong' },
  'GET /auth/session/': undefined,
  'GET /auth/recovery-codes/': undefined,
  'POST /auth/recovery-codes/': {},
  'GET /auth/devices/': undefined,
  'PATCH /auth/devices/:id/': { name: 'mine now' },
  'DELETE /auth/devices/:id/': undefined,
  'GET /auth/app-passwords/': undefined,
  'POST /auth/app-passwords/': { name: 'mine now', policies: 'two-factor' },
  'DELETE /auth/app-passwords/:id/': undefined,
  'GET /auth/code-windows/': undefined,
  'DELETE /auth/code-windows/:id/': undefined,
  'GET /auth/sessions/': undefined,
  'DELETE /auth/sessions/': undefined,
  'DELETE /auth/sessions/:id/': undefined,
  'POST /auth/password/': { new_password: 'a new and longer password' },
  'POST /auth/logout/': {},
  'POST /auth/invitation/': { code: 'x'.repeat(43), password: 'a new and longer password' },
  'POST /auth/setup/': { code: 'x'.repeat(43), username: 'x', password: 'a new and longer password' },
  'GET /auth/admin/users/': undefined,
  'POST /auth/admin/users/': { username: 'newcomer' },
  'GET /auth/admin/users/:id/': undefined,
  'POST /auth/admin/users/:id/invitation/': {},
  'POST /auth/admin/users/:id/disable/': {},
  'POST /auth/admin/users/:id/enable/': {},
  'POST /auth/admin/users/:id/unlock/': {},
  'DELETE /auth/admin/users/:id/sessions/': undefined,
  'DELETE /auth/admin/sessions/:id/': undefined,
  'DELETE /auth/admin/app-passwords/:id/': undefined,
  'DELETE /auth/admin/code-windows/:id/': undefined,
  'POST /auth/admin/users/:id/second-factor-reset/': {},
  'DELETE /auth/admin/users/:id/second-factor-reset/': undefined,
  'GET /auth/admin/groups/': undefined,
  'POST /auth/admin/groups/': { name: 'wiki' },
  'DELETE /auth/admin/groups/:name/': undefined,
  'POST /auth/admin/users/:id/groups/': { group: 'wiki' },
  'DELETE /auth/admin/users/:id/groups/:name/': undefined,
  'GET /auth/admin/audit/': undefined,
  'GET /auth/admin/overview/': undefined,
  'GET /healthz': undefined,
  'GET /readyz': undefined,
  'GET /metrics': undefined,
  'GET /openapi.json': undefined,
  'GET /.well-known/jwks.json': undefined,
}

/** What anybody at all is answered by the routes that are open. */
const open: Record<string, number> = {
  'POST /auth/login/': 401,
  'POST /auth/authenticate/': 401,
  'POST /auth/logout/': 200,
  'POST /auth/invitation/': 404,
  'POST /auth/setup/': 409,
  'GET /healthz': 200,
  'GET /readyz': 200,
  'GET /metrics': 404,
  'GET /openapi.json': 200,
  'GET /.well-known/jwks.json': 200,
}

const names = routes.map(({ method, path }) => `${method} ${path}`)

describe('the ways in', () => {
  let world: World
  let victim: { id: string; deviceId: string; sessionId: string }
  before(async () => {
    world = await startWorld()
    const { id, browser } = await world.enrolled('victim')
    const deviceId = (await browser.get('/auth/devices/')).body.devices[0].id
    const sessionId = (await browser.get('/auth/sessions/')).body.sessions[0].id
    victim = { id, deviceId, sessionId }
  })
  after(() => world.close())

  /** The strangers' wrong passwords of this matrix are no test of throttling. */
  const forget = () => world.services.db.deleteFrom('attempts').execute()

  const idFor = (path: string) => {
    if (path.includes('devices')) return victim.deviceId
    return path.includes('admin/users') ? victim.id : victim.sessionId
  }

  const call = async (browser: Browser, name: string) => {
    await forget()
    const [method = '', path = ''] = name.split(' ')
    const id = idFor(path)
    const fields = bodies[name]
    return browser.send(path.replace(':id', id).replace(':name', 'wiki'), {
      method,
      ...(fields && { body: JSON.stringify(fields), headers: { 'content-type': 'application/json' } }),
    })
  }

  it('are all known to these tests (SEC-DOC-2)', () => {
    assert.deepEqual(Object.keys(bodies).toSorted(), names.toSorted())
  })

  for (const name of Object.keys(bodies)) {
    it(`nobody gets ${open[name] ?? 401} from ${name}, with a victim’s ids in the path (L-10)`, async () => {
      const browser = stranger(world)
      assert.equal((await call(browser, name)).status, open[name] ?? 401)
      assert.equal(browser.cookies.size, 0)
    })
  }

  const states = {
    totp: { 'POST /auth/verify/': 400 },
    'enrol-totp': { 'POST /auth/verify/': 403, 'POST /auth/register-secret/': 200 },
    'new-password': { 'POST /auth/password/': 200 },
  } as const

  let made = 0
  const waitingFor = async (next: keyof typeof states): Promise<Browser> => {
    const username = `half${++made}`
    if (next === 'new-password') return (await world.enrolled(username, { mustChangePassword: true })).browser
    if (next === 'totp') await world.enrolled(username)
    else await world.user(username)
    return halfSignedIn(world, username, next)
  }

  for (const [next, due] of Object.entries(states) as [keyof typeof states, Record<string, number>][]) {
    for (const name of Object.keys(bodies)) {
      const expected = due[name] ?? open[name] ?? 401
      it(`half signed in and due for ${next}, one gets ${expected} from ${name} (SEC-AUTH-2, L-03)`, async () => {
        const browser = await waitingFor(next)
        assert.equal(browser.cookies.has(SESSION), false)
        const loginToken = browser.cookies.get(LOGIN)
        assert.equal((await call(browser, name)).status, expected)
        const finishes = next === 'new-password' && name === 'POST /auth/password/'
        assert.equal(browser.cookies.has(SESSION), finishes)
        // The token of a login is not that of a session, under either name.
        browser.cookies.set(SESSION, String(loginToken))
        assert.equal((await browser.get('/auth/session/')).status, 401)
      })
    }
  }

  it('cookies collected before the second step open nothing after it (L-03)', async () => {
    const { username, phone } = await world.enrolled('collector')
    const browser = await halfSignedIn(world, username)
    const collected = browser.clone()
    assert.equal((await browser.post('/auth/verify/', { otp: phone.code() })).status, 200)
    for (const name of Object.keys(bodies)) {
      assert.equal((await call(collected.clone(), name)).status, open[name] ?? 401, name)
    }
    world.clock.advance(30)
    assert.equal((await collected.post('/auth/verify/', { otp: phone.code() })).status, 401)
  })

  it('a password alone opens no session for any kind of account (SEC-AUTH-3)', async () => {
    await world.user('plain')
    await world.user('chief', { isSuperuser: true })
    await world.user('fresh', { mustChangePassword: true })
    await world.enrolled('bound')
    for (const username of ['plain', 'chief', 'fresh', 'bound']) {
      const browser = stranger(world)
      const { body } = await browser.post('/auth/login/', { username, password: PASSWORD })
      assert.notEqual(body.next, 'done')
      assert.equal((await browser.get('/auth/session/')).status, 401)
    }
  })

  it('a victim’s ids in the body are fields that no route takes (L-08, L-10)', async () => {
    const attacker = await world.enrolled('attacker')
    for (const name of names.filter((each) => /^(POST|PATCH)/.test(each) && each !== 'POST /auth/logout/')) {
      for (const field of ['user_id', 'user', 'id', 'device_id', 'login', 'session']) {
        const [method = '', path = ''] = name.split(' ')
        const reply = await attacker.browser.send(path.replace(':id', victim.deviceId), {
          method,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ ...bodies[name], [field]: victim.id }),
        })
        // Those of administration do not even look at what a user sends.
        assert.equal(reply.status, path.startsWith('/auth/admin/') ? 403 : 400, `${name} ${field}`)
      }
    }
  })
})
