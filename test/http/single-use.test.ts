import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { expectStatus, PASSWORD, phoneOf, startWorld, type World } from '../world.ts'
import {
  atOnce,
  charged,
  codesLookedAt,
  errorOf,
  giveCounterToken,
  halfSignedIn,
  isSignedIn,
  recoveryCodes,
  signIn,
  stranger,
  tally,
} from './journeys.ts'

describe('a code', () => {
  let world: World
  before(async () => {
    // So many passwords of one user may be under way here that every submission gets as far as the code.
    world = await startWorld({ config: { throttle: { passwordFree: 100 } } })
  })
  after(() => world.close())

  /** 64 submissions of one code: half of them second steps, half of them all at once. */
  const submit64 = async (username: string, otp: string) => {
    const halves = await atOnce(32, () => halfSignedIn(world, username))
    const wholes = Array.from({ length: 32 }, () => stranger(world))
    const replies = await atOnce(64, (index) => {
      const half = halves[index >> 1]
      const whole = wholes[index >> 1]
      return index % 2 === 0 && half !== undefined
        ? half.post('/auth/verify/', { otp })
        : (whole ?? stranger(world)).post('/auth/authenticate/', { username, password: PASSWORD, otp })
    })
    const signedIn = await Promise.all([...halves, ...wholes].map(isSignedIn))
    return { replies, sessions: signedIn.filter(Boolean).length }
  }

  for (let round = 1; round <= 4; round++) {
    it(`sent 64 times at once, both ways mixed, signs in once, round ${round} (SEC-OTP-2, FT-RACE-1)`, async () => {
      const { id, username, phone } = await world.enrolled(`race${round}`)
      const { replies, sessions } = await submit64(username, phone.code())
      assert.deepEqual(tally(replies), { 200: 1, 400: 63 })
      assert.equal(sessions, 1)
      // An exact repeat is not charged: the owner's next code is looked at.
      assert.equal(await charged(world, id), 0)
    })
  }

  it('of a counter token sent 64 times at once signs in once (SEC-OTP-13, FT-RACE-2)', async () => {
    const { username } = await world.enrolled('counter')
    const code = await giveCounterToken(world, username)
    const { replies, sessions } = await submit64(username, code(0))
    assert.equal(tally(replies)[200], 1)
    assert.equal(sessions, 1)
  })

  it('for recovery sent 64 times at once signs in once (SEC-REC-3, FT-RACE-2)', async () => {
    const { username, browser } = await world.enrolled('recovering')
    const [code = ''] = await recoveryCodes(browser)
    const halves = await atOnce(64, () => halfSignedIn(world, username))
    const replies = await Promise.all(halves.map((half) => half.post('/auth/verify/', { otp: code })))
    assert.equal(tally(replies)[200], 1)
    assert.equal((await Promise.all(halves.map(isSignedIn))).filter(Boolean).length, 1)
  })

  it('of an enrolment sent 64 times at once binds one device and signs in once (SEC-OTP-8)', async () => {
    await world.user('first')
    const browser = await halfSignedIn(world, 'first', 'enrol-totp')
    const { body } = await browser.post('/auth/register-secret/')
    const { replies, sessions } = await (async () => {
      const otp = phoneOf(world.clock, body.shared_secret).code()
      const clones = Array.from({ length: 64 }, () => browser.clone())
      const all = await Promise.all(clones.map((clone) => clone.post('/auth/verify/', { otp })))
      return { replies: all, sessions: (await Promise.all(clones.map(isSignedIn))).filter(Boolean).length }
    })()
    assert.equal(tally(replies)[200], 1)
    assert.equal(sessions, 1)
  })

  it('that confirmed an enrolment signs in no more (L-17)', async () => {
    await world.user('used')
    const browser = await halfSignedIn(world, 'used', 'enrol-totp')
    const { body } = await browser.post('/auth/register-secret/')
    const otp = phoneOf(world.clock, body.shared_secret).code()
    await expectStatus(browser.post('/auth/verify/', { otp }), 200)
    const again = await stranger(world).post('/auth/authenticate/', {
      username: 'used',
      password: PASSWORD,
      otp,
    })
    assert.deepEqual(errorOf(again), [400, 'invalid_otp'])
  })

  it('that confirmed a further device signs in no more (L-17)', async () => {
    const { browser, username } = await world.enrolled('second')
    const { body } = await browser.post('/auth/register-secret/')
    const otp = phoneOf(world.clock, body.shared_secret).code()
    await expectStatus(browser.post('/auth/verify/', { otp }), 200)
    const again = await stranger(world).post('/auth/authenticate/', { username, password: PASSWORD, otp })
    assert.deepEqual(errorOf(again), [400, 'invalid_otp'])
  })

  it('that was used is refused again and again, and never charged (SEC-OTP-14, L-13)', async () => {
    const { id, username, phone } = await world.enrolled('doubleclick')
    const otp = phone.code()
    const fields = { username, password: PASSWORD, otp }
    await expectStatus(stranger(world).post('/auth/authenticate/', fields), 200)
    for (let i = 0; i < 12; i++) {
      assert.deepEqual(errorOf(await stranger(world).post('/auth/authenticate/', fields)), [
        400,
        'invalid_otp',
      ])
    }
    assert.equal(await charged(world, id), 0)
    assert.equal(await codesLookedAt(world, id), 0)
    const refusals = (await world.audit()).filter((e) => e.user_id === id && e.event === 'code-refused')
    assert.deepEqual(new Set(refusals.map((e) => e.fields.reason)), new Set(['repeated']))
  })

  it('that was used looks to its sender like a wrong one (SEC-OTP-14)', async () => {
    const user = await world.enrolled('alike')
    const used = user.phone.code()
    await signIn(world, user)
    const half = await halfSignedIn(world, user.username)
    const repeated = await half.post('/auth/verify/', { otp: used })
    const wrong = await half.post('/auth/verify/', { otp: '00000000' })
    assert.deepEqual([repeated.status, repeated.text], [wrong.status, wrong.text])
  })

  it('of an earlier step works no more after a later one (SEC-OTP-2)', async () => {
    const { username, phone } = await world.enrolled('skipping')
    const [now, next] = [phone.code(), phone.code(1)]
    const authenticate = (otp: string) =>
      stranger(world).post('/auth/authenticate/', { username, password: PASSWORD, otp })
    assert.equal((await authenticate(next)).status, 200)
    assert.deepEqual(errorOf(await authenticate(now)), [400, 'invalid_otp'])
  })

  it('of two steps sent at once does not open the earlier one again (L-18)', async () => {
    for (let round = 0; round < 5; round++) {
      const { username, phone } = await world.enrolled(`interleaved${round}`)
      const codes = [phone.code(), phone.code(1)]
      const authenticate = (index: number) =>
        stranger(world).post('/auth/authenticate/', { username, password: PASSWORD, otp: codes[index % 2] })
      const statuses = tally(await atOnce(16, authenticate))
      assert.ok((statuses[200] ?? 0) <= 2)
      assert.equal(tally(await atOnce(2, authenticate))[200], undefined)
    }
  })

  it('that was used stays used after a restart of the server (SEC-OTP-2)', async () => {
    const { username, phone } = await world.enrolled('restarted')
    const fields = { username, password: PASSWORD, otp: phone.code() }
    await expectStatus(stranger(world).post('/auth/authenticate/', fields), 200)
    const { database, keyFile } = world.config
    const restarted = await startWorld({ config: { database, keyFile } })
    restarted.clock.set(world.clock.now())
    assert.deepEqual(errorOf(await restarted.browser().post('/auth/authenticate/', fields)), [
      400,
      'invalid_otp',
    ])
    await restarted.close()
  })

  it('that was used stays used when the clock goes back and forth (FT-CLOCK-1)', async () => {
    const user = await world.enrolled('timetraveller')
    const at = world.clock.now()
    const otp = user.phone.code()
    await signIn(world, user)
    for (const jump of [-3600, -60, -30, -1, 0, 29, 30, 60, 3600]) {
      world.clock.set(at + jump)
      const fields = { username: user.username, password: PASSWORD, otp }
      assert.notEqual((await stranger(world).post('/auth/authenticate/', fields)).status, 200, String(jump))
    }
    world.clock.set(at + 7200)
    assert.equal(await isSignedIn(await signIn(world, user)), true)
  })
})
