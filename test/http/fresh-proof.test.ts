import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { CLOCK_SKEW } from '../../src/domain/time.ts'
import {
  type Browser,
  expectStatus,
  PASSWORD,
  phoneOf,
  type Reply,
  startWorld,
  type World,
} from '../world.ts'
import { errorOf, isSignedIn, signIn } from './journeys.ts'

let world: World
before(async () => {
  world = await startWorld()
})
after(() => world.close())

/** What demands a proof of the last five minutes. */
const sensitive: Record<string, (browser: Browser) => Promise<Reply>> = {
  'beginning to add a device': (browser) => browser.post('/auth/register-secret/'),
  'removing a device': async (browser) => {
    const { devices } = (await browser.get('/auth/devices/')).body
    return browser.delete(`/auth/devices/${devices[0].id}/`)
  },
  'making recovery codes': (browser) => browser.post('/auth/recovery-codes/'),
  'changing the password': (browser) =>
    browser.post('/auth/password/', {
      current_password: PASSWORD,
      new_password: 'a new and longer password',
    }),
  'ending another session': async (browser) => {
    const { sessions } = (await browser.get('/auth/sessions/')).body
    const other = sessions.find((session: { current: boolean }) => !session.current)
    return browser.delete(`/auth/sessions/${other.id}/`)
  },
  'ending all other sessions': (browser) => browser.delete('/auth/sessions/'),
}

let made = 0
/** Somebody with two devices and two sessions, whose last proof is so many seconds old. */
const provenAgo = async (seconds: number) => {
  const user = await world.enrolled(`user${++made}`)
  const { body } = await user.browser.post('/auth/register-secret/')
  const otp = phoneOf(world.clock, body.shared_secret).code()
  await expectStatus(user.browser.post('/auth/verify/', { otp }), 200)
  world.clock.advance(30)
  await signIn(world, user)
  const browser = await signIn(world, user)
  world.clock.advance(seconds - 30)
  return { user, browser }
}

describe('with a proof of the last five minutes (SEC-AUTH-10)', () => {
  for (const [what, call] of Object.entries(sensitive)) {
    it(`${what} goes well at 299 seconds`, async () => {
      const { browser } = await provenAgo(299)
      assert.equal((await call(browser)).status, 200)
    })
    for (const seconds of [300, 301, 3000]) {
      it(`${what} is refused at ${seconds} seconds`, async () => {
        const { browser } = await provenAgo(seconds)
        const reply = await call(browser)
        assert.deepEqual(errorOf(reply), [403, 'fresh_authentication_required'])
        assert.equal(await isSignedIn(browser), true)
      })
    }
  }

  it('a clock set back does not make an old proof fresh (FT-CLOCK-1)', async () => {
    const { browser } = await provenAgo(30)
    world.clock.advance(-(30 + CLOCK_SKEW + 1))
    for (const call of Object.values(sensitive)) {
      assert.notEqual((await call(browser).catch(() => ({ status: 401 }))).status, 200)
    }
    world.clock.advance(30 + CLOCK_SKEW + 1)
  })

  it('being active is not a proof', async () => {
    const { browser } = await provenAgo(0)
    for (let i = 0; i < 10; i++) {
      world.clock.advance(30)
      await browser.get('/auth/session/')
    }
    assert.equal((await browser.post('/auth/recovery-codes/')).status, 403)
  })

  it('proving again in this browser makes it fresh, and no other session (SEC-SES-16)', async () => {
    const { user, browser } = await provenAgo(400)
    const sibling = browser.clone()
    const other = await signIn(world, user)
    world.clock.advance(400)
    await signIn(world, user, browser)
    assert.equal((await browser.post('/auth/recovery-codes/')).status, 200)
    assert.equal((await other.post('/auth/recovery-codes/')).status, 403)
    assert.equal((await sibling.post('/auth/recovery-codes/')).status, 401)
  })

  it('a change does not count as a proof', async () => {
    const { browser } = await provenAgo(299)
    await expectStatus(browser.post('/auth/register-secret/'), 200)
    world.clock.advance(1)
    assert.equal((await browser.post('/auth/register-secret/')).status, 403)
  })

  it('renaming a device, looking and signing out need none', async () => {
    const { browser } = await provenAgo(3000)
    const { devices } = (await browser.get('/auth/devices/')).body
    assert.equal((await browser.patch(`/auth/devices/${devices[0].id}/`, { name: 'x' })).status, 200)
    const { sessions } = (await browser.get('/auth/sessions/')).body
    const current = sessions.find((session: { current: boolean }) => session.current)
    assert.equal((await browser.delete(`/auth/sessions/${current.id}/`)).status, 200)
  })
})

describe('the last device', () => {
  it('stays, and the second to last does not have to (SEC-AUTH-14)', async () => {
    const { browser } = await provenAgo(0)
    const { devices } = (await browser.get('/auth/devices/')).body
    assert.equal((await browser.delete(`/auth/devices/${devices[1].id}/`)).status, 200)
    assert.deepEqual(errorOf(await browser.delete(`/auth/devices/${devices[0].id}/`)), [409, 'last_device'])
  })

  it('may go where none is demanded, with everything that depends on it', async () => {
    const optional = await startWorld({ config: { login: { enrolment: 'optional' } } })
    await optional.user('free')
    const browser = optional.browser()
    await browser.post('/auth/login/', { username: 'free', password: PASSWORD })
    const { body } = await expectStatus(browser.post('/auth/register-secret/'), 200)
    const phone = phoneOf(optional.clock, body.shared_secret)
    await expectStatus(browser.post('/auth/verify/', { otp: phone.code() }), 200)
    await expectStatus(browser.post('/auth/recovery-codes/'), 200)
    const { devices } = (await browser.get('/auth/devices/')).body
    await expectStatus(browser.delete(`/auth/devices/${devices[0].id}/`), 200)
    assert.equal((await browser.get('/auth/recovery-codes/')).body.remaining, 0)
    const again = await optional.browser().post('/auth/login/', { username: 'free', password: PASSWORD })
    assert.deepEqual([again.body.next, again.body.verified], ['done', false])
    await optional.close()
  })

  it('of a superuser stays under any policy (SEC-AUTH-3)', async () => {
    const optional = await startWorld({ config: { login: { enrolment: 'optional' } } })
    const { browser } = await optional.enrolled('chief', { isSuperuser: true })
    const { devices } = (await browser.get('/auth/devices/')).body
    assert.deepEqual(errorOf(await browser.delete(`/auth/devices/${devices[0].id}/`)), [409, 'last_device'])
    await optional.close()
  })

  it('can be replaced: the old one works until the new one is proven (SEC-OTP-8)', async () => {
    const user = await world.enrolled('replacing')
    const { body } = await user.browser.post('/auth/register-secret/')
    assert.equal(await isSignedIn(await signIn(world, user)), true)
    const otp = phoneOf(world.clock, body.shared_secret).code()
    assert.equal((await user.browser.post('/auth/verify/', { otp })).status, 200)
  })
})

describe('an enrolment', () => {
  it('waits ten minutes, and not one second more (SEC-OTP-8)', async () => {
    for (const [seconds, status] of [
      [599, 200],
      [600, 409],
    ] as const) {
      const { browser } = await provenAgo(0)
      const { body } = await browser.post('/auth/register-secret/')
      world.clock.advance(seconds)
      const otp = phoneOf(world.clock, body.shared_secret).code()
      assert.equal((await browser.post('/auth/verify/', { otp })).status, status)
    }
  })

  it('that is begun again forgets the former secret (SEC-OTP-8)', async () => {
    const { browser } = await provenAgo(0)
    const first = (await browser.post('/auth/register-secret/')).body.shared_secret
    const second = (await browser.post('/auth/register-secret/')).body.shared_secret
    assert.notEqual(first, second)
    const old = await browser.post('/auth/verify/', { otp: phoneOf(world.clock, first).code() })
    assert.deepEqual(errorOf(old), [400, 'invalid_otp'])
    assert.equal(
      (await browser.post('/auth/verify/', { otp: phoneOf(world.clock, second).code() })).status,
      200,
    )
  })

  it('of one user is not confirmed by another (SEC-OTP-8, L-09)', async () => {
    const [mine, theirs] = [await provenAgo(0), await provenAgo(0)]
    const { body } = await mine.browser.post('/auth/register-secret/')
    await theirs.browser.post('/auth/register-secret/')
    const otp = phoneOf(world.clock, body.shared_secret).code()
    assert.deepEqual(errorOf(await theirs.browser.post('/auth/verify/', { otp })), [400, 'invalid_otp'])
    assert.equal((await mine.browser.post('/auth/verify/', { otp })).status, 200)
  })

  it('is not begun by a session that is weaker than the account (SEC-AUTH-11)', async () => {
    const optional = await startWorld({ config: { login: { enrolment: 'optional' } } })
    await optional.user('weak')
    const [weak, strong] = [optional.browser(), optional.browser()]
    for (const browser of [weak, strong]) {
      await expectStatus(browser.post('/auth/login/', { username: 'weak', password: PASSWORD }), 200)
    }
    const { body } = await strong.post('/auth/register-secret/')
    const phone = phoneOf(optional.clock, body.shared_secret)
    await expectStatus(strong.post('/auth/verify/', { otp: phone.code() }), 200)
    assert.equal((await weak.post('/auth/register-secret/')).status, 401)
    assert.equal((await strong.get('/auth/session/')).body.verified, true)
    await optional.close()
  })
})
