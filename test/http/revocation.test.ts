import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { deleteUser } from '../../src/actions/delete-user.ts'
import { disableUser } from '../../src/actions/disable-user.ts'
import { enableUser } from '../../src/actions/enable-user.ts'
import { resetSecondFactor } from '../../src/actions/reset-second-factor.ts'
import { setPassword } from '../../src/actions/set-password.ts'
import { expectStatus, PASSWORD, phoneOf, type Reply, startWorld, type World } from '../world.ts'
import { atOnce, giveCounterToken, halfSignedIn, isSignedIn, operator, signIn, stranger } from './journeys.ts'

let world: World
before(async () => {
  world = await startWorld()
})
after(() => world.close())

const NEXT = 'a new and longer password'

/** What an operator may do to an account, each of which ends whatever was going on. */
const blows: Record<string, (username: string) => Promise<unknown>> = {
  'is disabled': (username) => disableUser(world.services, username, operator),
  'is deleted': (username) => deleteUser(world.services, username, operator),
  'gets another password': (username) =>
    setPassword(world.services, { username, password: NEXT, mustChange: false }, operator),
  'has the second factor reset': (username) => resetSecondFactor(world.services, username, operator),
}

/** Moments of a login and after it; each gives the next call, which would go well if nothing happened. */
const moments: Record<string, (username: string) => Promise<() => Promise<Reply>>> = {
  'after the password': async (username) => {
    const { phone } = await world.enrolled(username)
    const half = await halfSignedIn(world, username)
    return () => half.post('/auth/verify/', { otp: phone.code() })
  },
  'before an enrolment': async (username) => {
    await world.user(username)
    const half = await halfSignedIn(world, username, 'enrol-totp')
    return () => half.post('/auth/register-secret/')
  },
  'in the middle of an enrolment': async (username) => {
    await world.user(username)
    const half = await halfSignedIn(world, username, 'enrol-totp')
    const { body } = await half.post('/auth/register-secret/')
    return () => half.post('/auth/verify/', { otp: phoneOf(world.clock, body.shared_secret).code() })
  },
  'before a new password': async (username) => {
    const { browser } = await world.enrolled(username, { mustChangePassword: true })
    return () => browser.post('/auth/password/', { new_password: NEXT })
  },
  'when signed in': async (username) => {
    const { browser } = await world.enrolled(username)
    return () => browser.get('/auth/session/')
  },
  'while adding a device': async (username) => {
    const { browser } = await world.enrolled(username)
    const { body } = await browser.post('/auth/register-secret/')
    return () => browser.post('/auth/verify/', { otp: phoneOf(world.clock, body.shared_secret).code() })
  },
}

let made = 0
describe('a user who', () => {
  for (const [moment, reach] of Object.entries(moments)) {
    it(`is left alone ${moment} goes on`, async () => {
      assert.equal((await (await reach(`calm${++made}`))()).status, 200)
    })
    for (const [blow, strike] of Object.entries(blows)) {
      it(`${blow} ${moment} gets nothing at the next request (SEC-AUTH-19, SEC-SES-8, L-49 to L-53)`, async () => {
        const username = `struck${++made}`
        const next = await reach(username)
        await strike(username)
        const reply = await next()
        assert.equal(reply.status, 401)
        assert.equal(reply.setCookies.length, 0)
      })
    }
  }

  for (const [blow, strike] of Object.entries(blows)) {
    it(`${blow} at the very moment of signing in ends up with no session (FT-RACE-4)`, async () => {
      for (let round = 0; round < 8; round++) {
        const user = await world.enrolled(`moment${++made}`)
        const fields = { username: user.username, password: PASSWORD, otp: user.phone.code() }
        const browser = stranger(world)
        await Promise.all([
          browser.post('/auth/authenticate/', fields),
          (async () => {
            for (let turn = 0; turn < round; turn++) await new Promise(setImmediate)
            await strike(user.username)
          })(),
        ])
        assert.equal(await isSignedIn(browser), false, `round ${round}`)
      }
    })
  }

  it('is enabled again finds nothing of before, and signs in as ever (L-54)', async () => {
    const user = await world.enrolled('returning')
    const half = await halfSignedIn(world, 'returning')
    await disableUser(world.services, 'returning', operator)
    await enableUser(world.services, 'returning', operator)
    assert.equal(await isSignedIn(user.browser), false)
    assert.equal((await half.post('/auth/verify/', { otp: user.phone.code() })).status, 401)
    assert.equal(await isSignedIn(await signIn(world, user)), true)
  })

  it('is made anew under a deleted name inherits nothing', async () => {
    const user = await world.enrolled('phoenix')
    await deleteUser(world.services, 'phoenix', operator)
    await world.user('phoenix')
    assert.equal(await isSignedIn(user.browser), false)
    await halfSignedIn(world, 'phoenix', 'enrol-totp')
  })

  it('changes the password ends every other session and login, and keeps this one (SEC-SES-9)', async () => {
    const user = await world.enrolled('changer')
    const others = [await signIn(world, user), await signIn(world, user)]
    const half = await halfSignedIn(world, 'changer')
    const fields = { current_password: PASSWORD, new_password: NEXT }
    await expectStatus(user.browser.post('/auth/password/', fields), 200)
    assert.deepEqual(await Promise.all([user.browser, ...others].map(isSignedIn)), [true, false, false])
    assert.equal((await half.post('/auth/verify/', { otp: user.phone.code() })).status, 401)
  })

  it('adds a device ends every other session and login, and keeps this one (SEC-SES-9)', async () => {
    const user = await world.enrolled('adder')
    const other = await signIn(world, user)
    const half = await halfSignedIn(world, 'adder')
    const { body } = await expectStatus(user.browser.post('/auth/register-secret/'), 200)
    const otp = phoneOf(world.clock, body.shared_secret).code()
    await expectStatus(user.browser.post('/auth/verify/', { otp }), 200)
    assert.deepEqual(await Promise.all([user.browser, other].map(isSignedIn)), [true, false])
    assert.equal((await half.post('/auth/verify/', { otp: user.phone.code() })).status, 401)
  })

  it('removes a device finds its codes dead at once, and every other session ended (SEC-AUTH-14)', async () => {
    const user = await world.enrolled('remover')
    const { body } = await user.browser.post('/auth/register-secret/', { name: 'New' })
    const second = phoneOf(world.clock, body.shared_secret)
    await expectStatus(user.browser.post('/auth/verify/', { otp: second.code() }), 200)
    world.clock.advance(30)
    const other = await signIn(world, user)
    const { devices } = (await user.browser.get('/auth/devices/')).body
    await expectStatus(user.browser.delete(`/auth/devices/${devices[0].id}/`), 200)
    assert.deepEqual(await Promise.all([user.browser, other].map(isSignedIn)), [true, false])
    const attempt = (otp: string) =>
      stranger(world).post('/auth/authenticate/', { username: 'remover', password: PASSWORD, otp })
    assert.equal((await attempt(user.phone.code())).status, 400)
    assert.equal((await attempt(second.code())).status, 200)
  })

  it('removes both devices at once keeps one (SEC-AUTH-14, FT-RACE-4)', async () => {
    const { browser } = await world.enrolled('hasty')
    const { body } = await browser.post('/auth/register-secret/')
    await expectStatus(
      browser.post('/auth/verify/', { otp: phoneOf(world.clock, body.shared_secret).code() }),
      200,
    )
    const { devices } = (await browser.get('/auth/devices/')).body
    const copies = [browser.clone(), browser.clone()]
    const replies = await atOnce(2, (index) =>
      (copies[index] ?? browser).delete(`/auth/devices/${devices[index].id}/`),
    )
    assert.equal(replies.filter(({ status }) => status === 200).length, 1)
    const left = await world.services.db
      .selectFrom('otp_device')
      .innerJoin('user', 'user.id', 'otp_device.user_id')
      .select('otp_device.id')
      .where('user.username', '=', 'hasty')
      .execute()
    assert.equal(left.length, 1)
  })

  it('gets a token from the operator finds closed what the password alone had opened (SEC-SES-9)', async () => {
    const optional = await startWorld({ config: { login: { enrolment: 'optional' } } })
    await optional.user('upgraded')
    const browser = optional.browser()
    await expectStatus(browser.post('/auth/login/', { username: 'upgraded', password: PASSWORD }), 200)
    assert.equal(await isSignedIn(browser), true)
    await giveCounterToken(optional, 'upgraded')
    assert.equal(await isSignedIn(browser), false)
    await optional.close()
  })
})
