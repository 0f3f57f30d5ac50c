import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Browser, expectStatus, PASSWORD, phoneOf, startWorld, type World } from '../world.ts'
import { errorOf, halfSignedIn, isSignedIn, LOGIN, stranger } from './journeys.ts'

describe('the steps of a login', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())

  const logins = async () => (await world.services.db.selectFrom('login').selectAll().execute()).length

  it('leave nothing behind after a logout at the second step (L-02)', async () => {
    const { phone } = await world.enrolled('quits-at-code')
    const before = await logins()
    const browser = await halfSignedIn(world, 'quits-at-code')
    const kept = browser.clone()
    assert.equal((await browser.post('/auth/logout/')).status, 200)
    assert.equal(browser.cookies.has(LOGIN), false)
    assert.equal(await logins(), before)
    assert.equal((await kept.post('/auth/verify/', { otp: phone.code() })).status, 401)
  })

  it('leave nothing behind after a logout in the middle of an enrolment (L-02)', async () => {
    await world.user('quits-at-enrolment')
    const browser = await halfSignedIn(world, 'quits-at-enrolment', 'enrol-totp')
    const { body } = await browser.post('/auth/register-secret/')
    const kept = browser.clone()
    await browser.post('/auth/logout/')
    const phone = phoneOf(world.clock, body.shared_secret)
    assert.equal((await kept.post('/auth/verify/', { otp: phone.code() })).status, 401)
    assert.equal(await isSignedIn(kept), false)
  })

  it('leave nothing behind after a logout before the new password (L-02, L-07)', async () => {
    const { browser } = await world.enrolled('quits-at-password', { mustChangePassword: true })
    const kept = browser.clone()
    await browser.post('/auth/logout/')
    const fields = { new_password: 'a new and longer password' }
    assert.equal((await kept.post('/auth/password/', fields)).status, 401)
  })

  it('cannot be taken in any other order (SEC-AUTH-1)', async () => {
    const path = {
      enrol: (browser: Browser) => browser.post('/auth/register-secret/'),
      code: (browser: Browser) => browser.post('/auth/verify/', { otp: 'wrong' }),
      password: (browser: Browser) =>
        browser.post('/auth/password/', { new_password: 'a new longer password' }),
      session: (browser: Browser) => browser.get('/auth/session/'),
    }
    const { phone } = await world.enrolled('walker', { mustChangePassword: true })
    const browser = await halfSignedIn(world, 'walker')
    for (const step of ['enrol', 'password', 'session'] as const) {
      assert.equal((await path[step](browser)).status, 401, `${step} before the code`)
    }
    const reply = await browser.post('/auth/verify/', { otp: phone.code() })
    assert.equal(reply.body.next, 'new-password')
    for (const step of ['enrol', 'code', 'session'] as const) {
      assert.equal((await path[step](browser)).status, 401, `${step} before the new password`)
    }
    assert.equal((await path.password(browser)).body.next, 'done')
  })

  it('give nothing for empty bodies (L-86)', async () => {
    await world.enrolled('empty')
    const half = await halfSignedIn(world, 'empty')
    const enrolling = (await world.user('empty2')) && (await halfSignedIn(world, 'empty2', 'enrol-totp'))
    await expectStatus(enrolling.post('/auth/register-secret/'), 200)
    const due = (await world.enrolled('empty3', { mustChangePassword: true })).browser
    const cases: [Browser, string, object][] = [
      [stranger(world), '/auth/login/', { username: '', password: '' }],
      [stranger(world), '/auth/authenticate/', { username: '', password: '', otp: '' }],
      [half, '/auth/verify/', { otp: '' }],
      [enrolling, '/auth/verify/', { otp: '' }],
      [due, '/auth/password/', { new_password: '' }],
    ]
    for (const [browser, path, blank] of cases) {
      for (const body of ['', '{}', 'null', '[]', JSON.stringify(blank)]) {
        const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
        assert.equal((await browser.send(path, init)).status, 400, `${path} ${body}`)
        assert.equal(await isSignedIn(browser), false)
      }
      assert.equal((await browser.post(path)).status, 400)
    }
  })

  it('of one user are of no use to another, whatever is mixed (SEC-AUTH-1)', async () => {
    const mine = await world.enrolled('mallory')
    await world.enrolled('target')
    const half = await halfSignedIn(world, 'target')
    assert.deepEqual(errorOf(await half.post('/auth/verify/', { otp: mine.phone.code() })), [
      400,
      'invalid_otp',
    ])
    const mixed = { username: 'target', password: PASSWORD, otp: mine.phone.code() }
    assert.deepEqual(errorOf(await stranger(world).post('/auth/authenticate/', mixed)), [400, 'invalid_otp'])
    // Signed in as oneself with the login of somebody else beside it, the code counts for that login.
    mine.browser.cookies.set(LOGIN, String(half.cookies.get(LOGIN)))
    assert.deepEqual(errorOf(await mine.browser.post('/auth/verify/', { otp: 'wrong' })), [
      400,
      'invalid_otp',
    ])
    assert.equal((await mine.browser.get('/auth/session/')).body.user.username, 'mallory')
  })

  it('do not bind a device to an account whose login was ended at the same moment (SEC-AUTH-1)', async () => {
    for (let round = 0; round < 20; round++) {
      const username = `torn${round}`
      await world.user(username)
      const browser = await halfSignedIn(world, username, 'enrol-totp')
      const { body } = await browser.post('/auth/register-secret/')
      const code = phoneOf(world.clock, body.shared_secret).code()
      const verify = () => browser.clone().post('/auth/verify/', { otp: code })
      const logout = () => browser.clone().post('/auth/logout/')
      const calls = round % 2 === 0 ? [verify, logout] : [logout, verify]
      const replies = await Promise.all(calls.map((call) => call()))
      const bound = replies[calls.indexOf(verify)]?.status === 200
      // Whichever came first, a code that got no answer bound nothing, and the password alone opens nothing.
      const after = stranger(world)
      const again = await after.post('/auth/login/', { username, password: PASSWORD })
      assert.equal(again.body.next, bound ? 'totp' : 'enrol-totp', `round ${round}`)
      assert.equal(await isSignedIn(after), false)
    }
  })

  it('of two who log in while a first device is being bound, the one without a code gets nothing', async () => {
    for (let round = 0; round < 20; round++) {
      const username = `raced${round}`
      await world.user(username)
      const browser = await halfSignedIn(world, username, 'enrol-totp')
      const { body } = await browser.post('/auth/register-secret/')
      const otp = phoneOf(world.clock, body.shared_secret).code()
      const thief = stranger(world)
      await Promise.all([
        thief.post('/auth/login/', { username, password: PASSWORD }),
        browser.post('/auth/verify/', { otp }),
        thief.post('/auth/login/', { username, password: PASSWORD }),
      ])
      assert.equal(await isSignedIn(browser), true)
      assert.equal(await isSignedIn(thief), false, `round ${round}`)
    }
  })
})
