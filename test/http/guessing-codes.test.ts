import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { expectStatus, PASSWORD, phoneOf, startWorld, type World } from '../world.ts'
import {
  atOnce,
  charged,
  codesLookedAt,
  errorOf,
  halfSignedIn,
  isSignedIn,
  recoveryCodes,
  stranger,
  tally,
} from './journeys.ts'

/** Of the right form, and never right: the devices of these tests have six digits. */
const WRONG = '00000000'

describe('guessing codes with a password that is right', () => {
  let world: World
  before(async () => {
    world = await startWorld({ config: { throttle: { passwordFree: 100 } } })
  })
  after(() => world.close())

  const authenticate = (username: string, otp: string | undefined) =>
    stranger(world).post('/auth/authenticate/', { username, password: PASSWORD, otp })

  it('1,000 at once get five looks (I4, L-22, L-23, SEC-RATE-1, FT-RACE-3)', async () => {
    const { id, phone } = await world.enrolled('thousand')
    const halves = await atOnce(20, () => halfSignedIn(world, 'thousand'))
    const replies = await atOnce(1000, (index) => {
      const otp = String(index).padStart(8, '0')
      return (halves[index % 20] ?? stranger(world)).post('/auth/verify/', { otp })
    })
    assert.deepEqual(tally(replies), { 400: 5, 429: 995 })
    assert.equal(await codesLookedAt(world, id), 5)
    assert.equal(await charged(world, id), 5)
    // Not even the right one is looked at now.
    assert.equal((await authenticate('thousand', phone.code())).status, 429)
  })

  it('both ways mixed share the budget (SEC-RATE-6)', async () => {
    const { id } = await world.enrolled('mixedways')
    const half = await halfSignedIn(world, 'mixedways')
    const replies = await atOnce(60, (index) =>
      index % 2 === 0 ? half.post('/auth/verify/', { otp: WRONG }) : authenticate('mixedways', WRONG),
    )
    assert.deepEqual(tally(replies), { 400: 5, 429: 55 })
    assert.equal(await codesLookedAt(world, id), 5)
  })

  it('a fresh login buys no fresh tries (SEC-OTP-6, L-22)', async () => {
    const { id } = await world.enrolled('freshlogins')
    const statuses: number[] = []
    for (let i = 0; i < 12; i++) {
      const half = await halfSignedIn(world, 'freshlogins')
      statuses.push((await half.post('/auth/verify/', { otp: WRONG })).status)
    }
    assert.deepEqual(statuses, [400, 400, 400, 400, 400, 429, 429, 429, 429, 429, 429, 429])
    assert.equal(await codesLookedAt(world, id), 5)
  })

  it('four wrong ones cost nothing, and a right one forgets them (SEC-DOC-1)', async () => {
    const { id, phone } = await world.enrolled('fourwrong')
    for (let i = 0; i < 4; i++) assert.equal((await authenticate('fourwrong', WRONG)).status, 400)
    assert.equal((await authenticate('fourwrong', phone.code())).status, 200)
    assert.equal(await charged(world, id), 0)
  })

  it('a wait of a device by enrolment from a session is the same wait', async () => {
    const { browser, phone } = await world.enrolled('bysession')
    await expectStatus(browser.post('/auth/register-secret/'), 200)
    for (let i = 0; i < 5; i++) {
      assert.deepEqual(errorOf(await browser.post('/auth/verify/', { otp: WRONG })), [400, 'invalid_otp'])
    }
    assert.deepEqual(errorOf(await browser.post('/auth/verify/', { otp: WRONG })), [429, 'throttled'])
    assert.deepEqual(errorOf(await authenticate('bysession', phone.code())), [429, 'throttled'])
  })

  it('the wait is 30 seconds, then doubles up to an hour, and is told (SEC-OTP-6, SEC-DOC-1)', async () => {
    const { username, phone } = await world.enrolled('doubling')
    for (let i = 0; i < 4; i++) await authenticate(username, WRONG)
    for (const wait of [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]) {
      assert.deepEqual(errorOf(await authenticate(username, WRONG)), [400, 'invalid_otp'])
      const told = await authenticate(username, phone.code())
      assert.deepEqual([told.status, told.headers.get('retry-after')], [429, String(wait)])
      world.clock.advance(wait - 1)
      assert.equal((await authenticate(username, phone.code())).headers.get('retry-after'), '1')
      world.clock.advance(1)
    }
    assert.equal((await authenticate(username, phone.code())).status, 200)
    assert.equal((await authenticate(username, WRONG)).status, 400)
  })

  it('an attempt during the wait neither counts nor makes it longer', async () => {
    const { id, username, phone } = await world.enrolled('patient')
    for (let i = 0; i < 5; i++) await authenticate(username, WRONG)
    for (let i = 0; i < 50; i++) assert.equal((await authenticate(username, WRONG)).status, 429)
    assert.equal(await charged(world, id), 5)
    world.clock.advance(30)
    assert.equal((await authenticate(username, phone.code())).status, 200)
  })

  it('a clock set back does not stretch the wait (FT-CLOCK-1)', async () => {
    const { username, phone } = await world.enrolled('backwards')
    for (let i = 0; i < 5; i++) await authenticate(username, WRONG)
    world.clock.advance(-10 * 365 * 86_400)
    assert.notEqual((await authenticate(username, WRONG)).status, 429)
    world.clock.advance(10 * 365 * 86_400 + 3600)
    assert.equal((await authenticate(username, phone.code())).status, 200)
  })

  it('wrong passwords and wrong codes have separate budgets', async () => {
    const { username, phone } = await world.enrolled('separate')
    for (let i = 0; i < 6; i++) await authenticate(username, WRONG)
    assert.equal((await authenticate(username, phone.code())).status, 429)
    const wrong = { username, password: 'wrong', otp: phone.code() }
    assert.deepEqual(errorOf(await stranger(world).post('/auth/authenticate/', wrong)), [
      401,
      'invalid_credentials',
    ])
    assert.equal((await halfSignedIn(world, username)).cookies.size, 1)
  })

  it('the hundredth in a row disables the device, and only a recovery code helps (SEC-OTP-6)', async () => {
    const { id, username, phone, browser } = await world.enrolled('hundred')
    const codes = await recoveryCodes(browser)
    const guess = async () => {
      const reply = await authenticate(username, WRONG)
      if (reply.status !== 429) return
      world.clock.advance(Number(reply.headers.get('retry-after')))
      assert.equal((await authenticate(username, WRONG)).status, 400)
    }
    for (let i = 1; i <= 99; i++) await guess()
    assert.equal(await charged(world, id), 99)
    assert.equal(
      (await world.audit()).some((e) => e.event === 'devices-disabled'),
      false,
    )
    await guess()
    assert.equal(await charged(world, id), 100)
    const disabled = (await world.audit()).filter((e) => e.event === 'devices-disabled')
    assert.deepEqual(
      disabled.map(({ user_id, fields }) => [user_id, fields.failures]),
      [[id, 100]],
    )

    world.clock.advance(3600)
    // The right code is of no use now, and the password alone opens nothing and cannot enrol.
    assert.deepEqual(errorOf(await authenticate(username, phone.code())), [400, 'invalid_otp'])
    world.clock.advance(3600)
    const thief = await halfSignedIn(world, username, 'totp')
    assert.equal((await thief.post('/auth/register-secret/')).status, 401)
    assert.equal(await isSignedIn(thief), false)

    const owner = await halfSignedIn(world, username, 'totp')
    const proven = await owner.post('/auth/verify/', { otp: codes[0] })
    assert.deepEqual([proven.status, proven.body.next], [200, 'enrol-totp'])
    const { body } = await expectStatus(owner.post('/auth/register-secret/'), 200)
    const fresh = phoneOf(world.clock, body.shared_secret)
    await expectStatus(owner.post('/auth/verify/', { otp: fresh.code() }), 200)
    const { devices } = (await owner.get('/auth/devices/')).body
    assert.deepEqual(
      devices.map((device: { disabled: boolean }) => device.disabled),
      [true, false],
    )
    world.clock.advance(30)
    assert.equal((await authenticate(username, fresh.code())).status, 200)
    assert.deepEqual(errorOf(await authenticate(username, phone.code())), [400, 'invalid_otp'])
  })

  it('wrong codes do not end the sessions that are open, nor does a disabled device', async () => {
    const { username, browser } = await world.enrolled('stillhere')
    for (let i = 0; i < 6; i++) await authenticate(username, WRONG)
    assert.equal(await isSignedIn(browser), true)
  })

  it('without the right password nothing is said or charged of a code (SEC-OTP-7)', async () => {
    const { id, username, phone } = await world.enrolled('noleak')
    const replies = []
    for (const otp of [phone.code(), WRONG, 'not a code', '0-0000-0000-0000-0000']) {
      replies.push(await stranger(world).post('/auth/authenticate/', { username, password: 'wrong', otp }))
    }
    assert.equal(new Set(replies.map(({ status, text }) => `${status} ${text}`)).size, 1)
    assert.equal(replies[0]?.status, 401)
    assert.equal(await charged(world, id), 0)
    assert.equal((await authenticate(username, phone.code())).status, 200)
  })
})
