import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Browser, expectStatus, PASSWORD, phoneOf, startWorld, type World } from '../world.ts'
import { BROWSER, errorOf, halfSignedIn, isSignedIn, LOGIN, SESSION, signIn, stranger } from './journeys.ts'

let world: World
before(async () => {
  world = await startWorld()
})
after(() => world.close())

/** What a copy of the browser, made before, is worth after. */
const holding = (name: string, value: string | undefined): Browser => {
  const browser = stranger(world)
  browser.cookies.set(name, String(value))
  return browser
}

describe('a new token', () => {
  it('comes with every step of a login, and the old one is dead (SEC-SES-3)', async () => {
    await world.user('stepper', { mustChangePassword: true })
    const browser = await halfSignedIn(world, 'stepper', 'enrol-totp')
    const first = browser.cookies.get(LOGIN)
    const { body } = await expectStatus(browser.post('/auth/register-secret/'), 200)
    const phone = phoneOf(world.clock, body.shared_secret)
    await expectStatus(browser.post('/auth/verify/', { otp: phone.code() }), 200)
    const second = browser.cookies.get(LOGIN)
    assert.notEqual(first, second)
    const fields = { new_password: 'a new and longer password' }
    assert.equal((await holding(LOGIN, first).post('/auth/password/', fields)).status, 401)
    await expectStatus(browser.post('/auth/password/', fields), 200)
    assert.equal(browser.cookies.has(LOGIN), false)
    const third = browser.cookies.get(SESSION)
    assert.equal(new Set([first, second, third]).size, 3)
    for (const old of [first, second]) {
      assert.equal((await holding(LOGIN, old).post('/auth/password/', fields)).status, 401)
    }
  })

  for (const [what, change] of [
    ['a change of the password', changePassword],
    ['another device', addDevice],
    ['the removal of a device', removeDevice],
  ] as const) {
    it(`comes with ${what}, and the old one is dead (SEC-SES-3)`, async () => {
      const { browser } = await world.enrolled(`renews${what.length}`)
      if (change === removeDevice) await addDevice(browser)
      const old = browser.cookies.get(SESSION)
      await change(browser)
      assert.notEqual(browser.cookies.get(SESSION), old)
      assert.equal(await isSignedIn(browser), true)
      assert.equal(await isSignedIn(holding(SESSION, old)), false)
    })
  }

  it('comes with signing in again, and the session before is ended (SEC-SES-3)', async () => {
    const user = await world.enrolled('again')
    const old = user.browser.cookies.get(SESSION)
    await signIn(world, user, user.browser)
    assert.equal(await isSignedIn(holding(SESSION, old)), false)
    assert.equal((await user.browser.get('/auth/sessions/')).body.sessions.length, 1)
  })
})

describe('a cookie that somebody planted', () => {
  it('never becomes the session, whatever its name and value (SEC-SES-3, L-56)', async () => {
    const attacker = await world.enrolled('planter')
    const user = await world.enrolled('planted')
    const values = ['A'.repeat(43), String(attacker.browser.cookies.get(SESSION)), 'x', '']
    for (const value of values) {
      for (const name of [
        SESSION,
        LOGIN,
        BROWSER,
        'watchword-session',
        'watchword-login',
        SESSION.toLowerCase(),
      ]) {
        const browser = stranger(world)
        browser.cookies.set(name, value)
        await signIn(world, user, browser)
        assert.notEqual(browser.cookies.get(SESSION), value)
        assert.notEqual(browser.cookies.get(BROWSER), value)
        assert.equal((await browser.get('/auth/session/')).body.user.username, 'planted')
        assert.equal(await isSignedIn(holding(SESSION, 'A'.repeat(43))), false)
      }
    }
    // The session that was planted is the attacker's own and ended where it was replaced.
    assert.equal(await isSignedIn(attacker.browser), false)
  })

  it('of a known browser of somebody else is not taken over (SEC-SES-3)', async () => {
    const attacker = await world.enrolled('marker')
    const user = await world.enrolled('unmarked')
    const planted = attacker.browser.cookies.get(BROWSER)
    const browser = holding(BROWSER, planted)
    await signIn(world, user, browser)
    assert.notEqual(browser.cookies.get(BROWSER), planted)
  })

  it('of a login does not sign a victim into the planter’s account by itself (SEC-AUTH-18)', async () => {
    await world.enrolled('lurer')
    const half = await halfSignedIn(world, 'lurer')
    const victim = holding(LOGIN, half.cookies.get(LOGIN))
    for (const path of ['/auth/session/', '/auth/devices/', '/auth/sessions/']) {
      assert.equal((await victim.get(path)).status, 401)
    }
  })
})

describe('cookies', () => {
  it('on https are __Host-, HttpOnly, Secure, Lax and without a domain (SEC-SES-4)', async () => {
    const { phone } = await world.enrolled('https')
    const browser = stranger(world)
    const lines = [
      ...(await browser.post('/auth/login/', { username: 'https', password: PASSWORD })).setCookies,
    ]
    lines.push(...(await browser.post('/auth/verify/', { otp: phone.code() })).setCookies)
    lines.push(...(await browser.post('/auth/logout/')).setCookies)
    assert.equal(lines.length, 6)
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split('; ')
      assert.match(pair, /^__Host-watchword-(login|session|browser)=([\w-]{43})?$/)
      const kept = attributes.filter((attribute) => !attribute.startsWith('Max-Age='))
      assert.deepEqual(kept, ['Path=/', 'HttpOnly', 'SameSite=Lax', 'Secure'])
      const age = attributes.find((attribute) => attribute.startsWith('Max-Age='))
      const isCleared = pair.endsWith('=')
      assert.equal(age, isCleared ? 'Max-Age=0' : pair.includes('browser') ? 'Max-Age=15552000' : undefined)
      assert.ok(line.length < 4096)
    }
  })

  it('on loopback http have no prefix and no Secure, and work (SEC-SES-4)', async () => {
    const local = await startWorld({ config: { origin: 'http://127.0.0.1:8000' } })
    const { browser } = await local.enrolled('local')
    assert.deepEqual([...browser.cookies.keys()], ['watchword-session', 'watchword-browser'])
    const { setCookies, headers } = await browser.post('/auth/logout/')
    for (const line of setCookies) assert.match(line, /; Path=\/; HttpOnly; SameSite=Lax$/)
    assert.equal(headers.get('strict-transport-security'), null)
    await local.close()
  })

  it('on https without the prefix are not looked at (SEC-SES-4)', async () => {
    const { browser } = await world.enrolled('prefix')
    assert.equal(await isSignedIn(holding('watchword-session', browser.cookies.get(SESSION))), false)
    assert.equal(await isSignedIn(holding('__host-watchword-session', browser.cookies.get(SESSION))), false)
    assert.equal(await isSignedIn(holding('__Secure-watchword-session', browser.cookies.get(SESSION))), false)
  })

  it('that come twice are refused and none is picked (SEC-SES-14, L-57)', async () => {
    const { browser } = await world.enrolled('twice')
    const token = browser.cookies.get(SESSION)
    for (const pair of [
      `${SESSION}=${token}; ${SESSION}=${'A'.repeat(43)}`,
      `${SESSION}=${'A'.repeat(43)}; ${SESSION}=${token}`,
      `${SESSION}=${token}; ${SESSION}=${token}`,
      `${SESSION}=; ${SESSION}=${token}`,
      `${SESSION}=${token};a=b;${SESSION}=x`,
      ` ${SESSION} =${token}; ${SESSION}=${token}`,
    ]) {
      const reply = await stranger(world).get('/auth/session/', { cookie: pair })
      assert.deepEqual(errorOf(reply), [400, 'ambiguous_cookie'], pair)
    }
    const half = await halfSignedIn(world, 'twice')
    const login = half.cookies.get(LOGIN)
    const cookie = `${LOGIN}=${login}; ${LOGIN}=${login}`
    const reply = await stranger(world).post('/auth/verify/', { otp: '123456' }, { cookie })
    assert.deepEqual(errorOf(reply), [400, 'ambiguous_cookie'])
    // A twin in lower case has another name, and two hundred others are nobody's business.
    const crowd = Array.from({ length: 200 }, (_, index) => `c${index}=x`).join('; ')
    const ok = await stranger(world).get('/auth/session/', {
      cookie: `${crowd}; ${SESSION}=${token}; ${SESSION.toLowerCase()}=y`,
    })
    assert.equal(ok.status, 200)
  })
})

async function changePassword(browser: Browser) {
  const fields = { current_password: PASSWORD, new_password: 'a new and longer password' }
  await expectStatus(browser.post('/auth/password/', fields), 200)
}

async function addDevice(browser: Browser) {
  const { body } = await expectStatus(browser.post('/auth/register-secret/'), 200)
  await expectStatus(
    browser.post('/auth/verify/', { otp: phoneOf(world.clock, body.shared_secret).code() }),
    200,
  )
}

async function removeDevice(browser: Browser) {
  const { devices } = (await browser.get('/auth/devices/')).body
  await expectStatus(browser.delete(`/auth/devices/${devices[0].id}/`), 200)
}
