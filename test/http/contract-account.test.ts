import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { expectStatus, PASSWORD, phoneOf, startWorld, type World } from '../world.ts'
import { errorOf, form, recoveryCodes, signIn, stranger } from './journeys.ts'

let world: World
before(async () => {
  world = await startWorld()
})
after(() => world.close())

let users = 0
const somebody = () => world.enrolled(`user${++users}`)

for (const slash of ['/', '']) {
  describe(`an account of one's own, ${slash === '' ? 'without' : 'with'} the trailing slash`, () => {
    it('session tells who, how and until when', async () => {
      const { browser, id, username } = await somebody()
      const { status, body } = await browser.get(`/auth/session${slash}`)
      assert.equal(status, 200)
      const authTime = world.clock.now() - 30
      assert.deepEqual(body, {
        user: { id, username, display_name: '', is_superuser: false, groups: [] },
        amr: ['pwd', 'otp'],
        verified: true,
        auth_time: authTime,
        expires_at: authTime + 3600,
      })
    })

    it('session says 401 to nobody', async () => {
      assert.deepEqual(errorOf(await stranger(world).get(`/auth/session${slash}`)), [401, 'not_signed_in'])
    })

    it('recovery-codes makes ten, shows them once and counts them afterwards', async () => {
      const { browser } = await somebody()
      assert.deepEqual((await browser.get(`/auth/recovery-codes${slash}`)).body, { remaining: 0 })
      const { status, body } = await browser.post(`/auth/recovery-codes${slash}`)
      assert.equal(status, 200)
      assert.equal(new Set(body.recovery_codes).size, 10)
      for (const code of body.recovery_codes) assert.match(code, /^\d(-[0-9A-HJKMNP-TV-Z]{4}){4}$/)
      assert.deepEqual((await browser.get(`/auth/recovery-codes${slash}`)).body, { remaining: 10 })
    })

    it('recovery-codes says 403 when the proof is old', async () => {
      const { browser } = await somebody()
      world.clock.advance(300)
      const reply = await browser.post(`/auth/recovery-codes${slash}`)
      assert.deepEqual(errorOf(reply), [403, 'fresh_authentication_required'])
    })

    it('devices are listed without secrets, renamed and removed', async () => {
      const { browser, username, phone } = await somebody()
      const listed = (await browser.get(`/auth/devices${slash}`)).body.devices
      assert.equal(listed.length, 1)
      assert.deepEqual(
        { ...listed[0], id: '' },
        {
          id: '',
          type: 'totp',
          name: 'Authenticator',
          created_at: world.clock.now() - 30,
          last_used_at: world.clock.now() - 30,
          disabled: false,
        },
      )
      const path = `/auth/devices/${listed[0].id}${slash}`
      assert.deepEqual((await browser.patch(path, { name: '  Blue phone ' })).body, { message: 'Renamed' })
      assert.equal((await browser.get(`/auth/devices${slash}`)).body.devices[0].name, 'Blue phone')

      await addAnother(await signIn(world, { username, phone }, browser))
      const removed = await expectStatus(browser.delete(path), 200)
      assert.equal(removed.body.user.username, username)
      assert.equal((await browser.get(`/auth/devices${slash}`)).body.devices.length, 1)
    })

    it('devices that are not there are 404, whatever the id', async () => {
      const { browser } = await somebody()
      for (const id of ['x', '0'.repeat(26), '%00', '..%2f..', '%F0%9F%92%A9']) {
        assert.deepEqual(errorOf(await browser.patch(`/auth/devices/${id}${slash}`, { name: 'x' })), [
          404,
          'not_found',
        ])
        assert.deepEqual(errorOf(await browser.delete(`/auth/devices/${id}${slash}`)), [404, 'not_found'])
        assert.deepEqual(errorOf(await browser.delete(`/auth/sessions/${id}${slash}`)), [404, 'not_found'])
      }
    })

    it('sessions are listed by handles, ended one by one or all others at once', async () => {
      const user = await somebody()
      const [first, second, third] = [
        await signIn(world, user),
        await signIn(world, user),
        await signIn(world, user),
      ]
      const { sessions } = (await third.get(`/auth/sessions${slash}`)).body
      assert.equal(sessions.length, 4)
      assert.deepEqual(
        sessions.map((session: { current: boolean }) => session.current),
        [true, false, false, false],
      )
      assert.equal(sessions[0].user_agent, 'test')

      assert.deepEqual((await third.delete(`/auth/sessions/${sessions[1].id}${slash}`)).body, {
        message: 'Ended',
      })
      assert.equal((await second.get('/auth/session/')).status, 401)
      assert.equal((await first.get('/auth/session/')).status, 200)
      assert.deepEqual((await third.delete(`/auth/sessions${slash}`)).body, { message: 'Ended', ended: 2 })
      assert.equal((await first.get('/auth/session/')).status, 401)
      assert.equal((await third.get('/auth/session/')).status, 200)
    })

    it('one’s own session can be ended by its handle, which takes its cookie', async () => {
      const { browser } = await somebody()
      const { sessions } = (await browser.get(`/auth/sessions${slash}`)).body
      const before = browser.clone()
      assert.equal((await browser.delete(`/auth/sessions/${sessions[0].id}${slash}`)).status, 200)
      assert.equal(browser.cookies.has('__Host-watchword-session'), false)
      assert.equal((await before.get('/auth/session/')).status, 401)
    })

    it('password changes with the current one, and then only the new one works (SEC-PW-7)', async () => {
      const user = await somebody()
      const next = 'an entirely different phrase'
      const path = `/auth/password${slash}`
      const reply = await user.browser.post(path, { current_password: PASSWORD, new_password: next })
      assert.equal(reply.status, 200)
      assert.equal(reply.body.user.username, user.username)
      const { username } = user
      assert.equal((await stranger(world).post('/auth/login/', { username, password: PASSWORD })).status, 401)
      assert.equal((await stranger(world).post('/auth/login/', { username, password: next })).status, 200)
    })

    it('password works as a form as well', async () => {
      const { browser } = await somebody()
      const fields = { current_password: PASSWORD, new_password: 'an entirely different phrase' }
      assert.equal((await browser.send(`/auth/password${slash}`, form(fields))).status, 200)
    })

    it('password says 400 to a wrong or missing current one and to an unsuitable new one', async () => {
      const { browser } = await somebody()
      const path = `/auth/password${slash}`
      const good = 'an entirely different phrase'
      const change = (fields: object) => browser.post(path, fields)
      assert.deepEqual(errorOf(await change({ current_password: 'wrong', new_password: good })), [
        400,
        'wrong_password',
      ])
      assert.deepEqual(errorOf(await change({ new_password: good })), [400, 'invalid_request'])
      const short = await change({ current_password: PASSWORD, new_password: 'short' })
      assert.deepEqual(errorOf(short), [400, 'password_too_short'])
      assert.match(short.body.error, /at least 8/)
    })
  })
}

async function addAnother(browser: Awaited<ReturnType<typeof signIn>>) {
  const { body } = await expectStatus(browser.post('/auth/register-secret/', { name: 'Second' }), 200)
  await expectStatus(
    browser.post('/auth/verify/', { otp: phoneOf(world.clock, body.shared_secret).code() }),
    200,
  )
}

describe('the rest of the contract', () => {
  it('verify says 409 to a session that waits for nothing', async () => {
    const { browser } = await somebody()
    assert.deepEqual(errorOf(await browser.post('/auth/verify/', { otp: '123456' })), [
      409,
      'nothing_to_verify',
    ])
  })

  it('register-secret says 403 to a session whose proof is old', async () => {
    const { browser } = await somebody()
    world.clock.advance(300)
    assert.deepEqual(errorOf(await browser.post('/auth/register-secret/')), [
      403,
      'fresh_authentication_required',
    ])
  })

  it('the sixth device is refused, the fifth is not (SEC-OTP-15, SEC-DOC-1)', async () => {
    const { browser } = await somebody()
    for (let i = 2; i <= 5; i++) await addAnother(browser)
    assert.equal((await browser.get('/auth/devices/')).body.devices.length, 5)
    assert.deepEqual(errorOf(await browser.post('/auth/register-secret/')), [409, 'too_many_devices'])
  })

  it('a recovery code tells how many are left', async () => {
    const { browser, username } = await somebody()
    const [code] = await recoveryCodes(browser)
    const reply = await stranger(world).post('/auth/authenticate/', {
      username,
      password: PASSWORD,
      otp: code,
    })
    assert.deepEqual(
      [reply.status, reply.body.recovery_codes_left, reply.body.amr],
      [200, 9, ['pwd', 'recovery']],
    )
  })

  it('healthz and readyz answer anybody', async () => {
    assert.deepEqual((await stranger(world).get('/healthz')).body, { status: 'alive' })
    assert.deepEqual((await stranger(world).get('/readyz')).body, { status: 'ready' })
  })

  it('an address that is not served is 404', async () => {
    for (const path of [
      '/auth/',
      '/auth',
      '/auth/login/x',
      '//auth/login/',
      '/AUTH/LOGIN/',
      '/auth%2Flogin/',
    ]) {
      assert.deepEqual(errorOf(await stranger(world).get(path)), [404, 'not_found'], path)
      const login = { username: 'user1', password: PASSWORD }
      assert.deepEqual(errorOf(await stranger(world).post(path, login)), [404, 'not_found'], path)
    }
  })
})
