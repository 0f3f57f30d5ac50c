import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Browser, PASSWORD, phoneOf, startWorld, type World } from '../world.ts'
import { errorOf, form, halfSignedIn, signIn, stranger } from './journeys.ts'

let world: World
before(async () => {
  world = await startWorld()
})
after(() => world.close())

type Send = (browser: Browser, path: string, fields: Record<string, string>) => ReturnType<Browser['post']>
const asJson: Send = (browser, path, fields) => browser.post(path, fields)
const asForm: Send = (browser, path, fields) => browser.send(path, form(fields))
const spellings: [string, Send, string][] = [
  ['json', asJson, '/'],
  ['json without the slash', asJson, ''],
  ['form', asForm, '/'],
  ['form without the slash', asForm, ''],
]

for (const [name, send, slash] of spellings) {
  describe(`signing in, the contract line by line, as ${name}`, () => {
    const label = name.replace(/\W+/g, '-')
    const at = (path: string) => `/auth/${path}${slash}`

    it('login says that a code must be set up', async () => {
      await world.user(`new-${label}`)
      const browser = stranger(world)
      const reply = await send(browser, at('login'), { username: `new-${label}`, password: PASSWORD })
      assert.deepEqual([reply.status, reply.body.next], [200, 'enrol-totp'])
      assert.deepEqual(Object.keys(reply.body), ['message', 'next'])
      assert.deepEqual([...browser.cookies.keys()], ['__Host-watchword-login'])
    })

    it('login says that a code is needed', async () => {
      await world.enrolled(`has-${label}`)
      const browser = stranger(world)
      const reply = await send(browser, at('login'), { username: `has-${label}`, password: PASSWORD })
      assert.deepEqual([reply.status, reply.body.next], [200, 'totp'])
      assert.deepEqual([...browser.cookies.keys()], ['__Host-watchword-login'])
    })

    it('login says no to a wrong password', async () => {
      await world.user(`wrong-${label}`)
      const reply = await send(stranger(world), at('login'), {
        username: `wrong-${label}`,
        password: 'wrong one',
      })
      assert.equal(reply.status, 401)
      assert.deepEqual(reply.body, { error: 'Invalid username or password', code: 'invalid_credentials' })
    })

    it('register-secret says 401 when nobody is logged in', async () => {
      assert.deepEqual(errorOf(await send(stranger(world), at('register-secret'), {})), [
        401,
        'not_signed_in',
      ])
    })

    it('register-secret shows the secret as text, link and picture', async () => {
      await world.user(`show-${label}`)
      const browser = await halfSignedIn(world, `show-${label}`, 'enrol-totp')
      const { status, body, headers } = await send(browser, at('register-secret'), {})
      assert.equal(status, 200)
      assert.match(body.shared_secret, /^[A-Z2-7]{32}$/)
      const uri = new URL(body.otpauth_uri)
      assert.deepEqual([uri.protocol, uri.host], ['otpauth:', 'totp'])
      assert.equal(uri.searchParams.get('secret'), body.shared_secret)
      assert.equal(decodeURIComponent(uri.pathname), `/Watchword:show-${label}`)
      assert.match(body.qr_svg, /^<svg /)
      assert.equal(body.expires_in, 300)
      assert.equal(headers.get('cache-control'), 'no-store')
    })

    it('verify confirms a pending enrolment and signs in', async () => {
      await world.user(`confirm-${label}`)
      const browser = await halfSignedIn(world, `confirm-${label}`, 'enrol-totp')
      const { body } = await send(browser, at('register-secret'), { name: 'Phone' })
      const reply = await send(browser, at('verify'), {
        otp: phoneOf(world.clock, body.shared_secret).code(),
      })
      assert.equal(reply.status, 200)
      assert.equal(reply.body.message, 'Authentication successful')
      assert.deepEqual(reply.body.amr, ['pwd', 'otp'])
      const { devices } = (await browser.get(at('devices'))).body
      assert.deepEqual(
        devices.map((device: { name: string }) => device.name),
        ['Phone'],
      )
    })

    it('verify takes the code that a login waits for', async () => {
      const { phone } = await world.enrolled(`code-${label}`)
      const browser = await halfSignedIn(world, `code-${label}`)
      const reply = await send(browser, at('verify'), { otp: phone.code() })
      assert.deepEqual(
        [reply.status, reply.body.message, reply.body.next],
        [200, 'Authentication successful', 'done'],
      )
      assert.equal((await browser.get(at('session'))).body.verified, true)
    })

    it('verify says 400 to a wrong code, 401 without a login and 403 before an enrolment', async () => {
      await world.enrolled(`verify-${label}`)
      const browser = await halfSignedIn(world, `verify-${label}`)
      const wrong = await send(browser, at('verify'), { otp: 'wrong' })
      assert.equal(wrong.status, 400)
      assert.deepEqual(wrong.body, { error: 'Invalid OTP', code: 'invalid_otp' })
      assert.deepEqual(errorOf(await send(stranger(world), at('verify'), { otp: '123456' })), [
        401,
        'not_signed_in',
      ])
      await world.user(`none-${label}`)
      const early = await halfSignedIn(world, `none-${label}`, 'enrol-totp')
      assert.deepEqual(errorOf(await send(early, at('verify'), { otp: '123456' })), [
        403,
        'enrolment_required',
      ])
    })

    it('authenticate takes all three and begins a session', async () => {
      const { username, phone } = await world.enrolled(`all-${label}`)
      const browser = stranger(world)
      const reply = await send(browser, at('authenticate'), {
        username,
        password: PASSWORD,
        otp: phone.code(),
      })
      assert.equal(reply.status, 200)
      assert.equal(reply.body.message, 'Authentication successful')
      assert.equal((await browser.get(at('session'))).body.user.username, username)
    })

    it('authenticate says 401 to a wrong password and 400 to a wrong code', async () => {
      const { username, phone } = await world.enrolled(`no-${label}`)
      const password = await send(stranger(world), at('authenticate'), {
        username,
        password: 'x',
        otp: phone.code(),
      })
      assert.equal(password.status, 401)
      assert.deepEqual(password.body, { error: 'Invalid username or password', code: 'invalid_credentials' })
      const code = await send(stranger(world), at('authenticate'), {
        username,
        password: PASSWORD,
        otp: 'wrong',
      })
      assert.equal(code.status, 400)
      assert.deepEqual(code.body, { error: 'Invalid OTP', code: 'invalid_otp' })
    })

    it('authenticate says 403 before any code was set up', async () => {
      await world.user(`bare-${label}`)
      const fields = { username: `bare-${label}`, password: PASSWORD, otp: '123456' }
      assert.deepEqual(errorOf(await send(stranger(world), at('authenticate'), fields)), [
        403,
        'enrolment_required',
      ])
    })

    it('authenticate says 429 with Retry-After after too many wrong codes', async () => {
      const { username } = await world.enrolled(`slow-${label}`)
      const fields = { username, password: PASSWORD, otp: 'wrong' }
      for (let i = 0; i < 5; i++) await send(stranger(world), at('authenticate'), fields)
      const reply = await send(stranger(world), at('authenticate'), fields)
      assert.deepEqual([...errorOf(reply), reply.headers.get('retry-after')], [429, 'throttled', '30'])
      assert.deepEqual(
        [reply.body.retry_after, reply.body.error],
        [30, 'Too many attempts. Try again in 30 seconds.'],
      )
    })

    it('logout ends the session, and does nothing where there is none', async () => {
      const browser = await signIn(world, await world.enrolled(`out-${label}`))
      const reply = await send(browser, at('logout'), {})
      assert.deepEqual([reply.status, reply.body], [200, { message: 'Signed out' }])
      assert.equal((await browser.get(at('session'))).status, 401)
      assert.equal((await send(stranger(world), at('logout'), {})).status, 200)
    })
  })
}

describe('a login under way', () => {
  it('lasts 300 seconds and not one more (SEC-AUTH-2)', async () => {
    const user = await world.enrolled('slowpoke')
    const inTime = await halfSignedIn(world, 'slowpoke')
    const late = await halfSignedIn(world, 'slowpoke')
    world.clock.advance(299)
    assert.equal((await inTime.post('/auth/verify/', { otp: user.phone.code() })).status, 200)
    world.clock.advance(1)
    assert.equal((await late.post('/auth/verify/', { otp: user.phone.code(1) })).status, 401)
  })

  it('lets a user without a code in where the policy says so, unverified', async () => {
    const optional = await startWorld({ config: { login: { enrolment: 'optional' } } })
    await optional.user('easy')
    const browser = optional.browser()
    const { body } = await browser.post('/auth/login/', { username: 'easy', password: PASSWORD })
    assert.deepEqual([body.next, body.verified, body.amr], ['done', false, ['pwd']])
    assert.equal((await browser.get('/auth/session/')).body.verified, false)
    await optional.close()
  })

  it('asks a superuser for a code under any policy (SEC-AUTH-3)', async () => {
    const optional = await startWorld({ config: { login: { enrolment: 'optional' } } })
    await optional.user('root', { isSuperuser: true })
    const browser = optional.browser()
    const { body } = await browser.post('/auth/login/', { username: 'root', password: PASSWORD })
    assert.equal(body.next, 'enrol-totp')
    assert.equal((await browser.get('/auth/session/')).status, 401)
    await optional.close()
  })
})
