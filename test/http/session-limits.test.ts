import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { purgeExpired } from '../../src/actions/purge-expired.ts'
import { CLOCK_SKEW } from '../../src/domain/time.ts'
import { startWorld, type World } from '../world.ts'
import { atOnce, errorOf, isSignedIn, SESSION, signIn, stranger } from './journeys.ts'

const HOUR = 3600

describe('a session', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())

  let made = 0
  /** Somebody who signed in this very second. */
  const fresh = async () => {
    const user = await world.enrolled(`user${++made}`)
    world.clock.advance(-30)
    return user
  }

  it('lasts an hour without a request, and not one second more (SEC-SES-5)', async () => {
    const [short, long] = [await fresh(), await fresh()]
    world.clock.advance(HOUR - 1)
    assert.equal(await isSignedIn(short.browser), true)
    world.clock.advance(1)
    assert.equal(await isSignedIn(long.browser), false)
  })

  it('goes on by requests, an hour from the last (SEC-SES-5)', async () => {
    const { browser } = await fresh()
    for (let i = 0; i < 3; i++) {
      world.clock.advance(HOUR - 1)
      assert.equal(await isSignedIn(browser), true)
    }
    world.clock.advance(HOUR)
    assert.equal(await isSignedIn(browser), false)
  })

  it('ends after twelve hours whatever happens (SEC-SES-6)', async () => {
    const { browser } = await fresh()
    for (let i = 1; i <= 23; i++) {
      world.clock.advance(HOUR / 2)
      assert.equal(await isSignedIn(browser), true, `half hour ${i}`)
    }
    world.clock.advance(HOUR / 2 - 1)
    const { body } = await browser.get('/auth/session/')
    assert.equal(body.expires_at, world.clock.now() + 1)
    world.clock.advance(1)
    assert.equal(await isSignedIn(browser), false)
  })

  it('is not prolonged by a renewal, such as a change of the password (SEC-SES-6)', async () => {
    const user = await fresh()
    const began = world.clock.now()
    world.clock.advance(299)
    assert.equal((await user.browser.post('/auth/recovery-codes/')).status, 200)
    const { devices } = (await user.browser.get('/auth/devices/')).body
    assert.equal(devices.length, 1)
    const fields = {
      current_password: 'correct horse battery staple',
      new_password: 'a new and longer password',
    }
    assert.equal((await user.browser.post('/auth/password/', fields)).status, 200)
    const { body } = await user.browser.get('/auth/session/')
    assert.equal(body.auth_time, began)
    for (let at = began + 299; at < began + 12 * HOUR - 1800; at += 1800) {
      world.clock.set(at)
      assert.equal(await isSignedIn(user.browser), true)
    }
    world.clock.set(began + 12 * HOUR)
    assert.equal(await isSignedIn(user.browser), false)
  })

  it('that ended does not come back, purged or not (L-52, L-54)', async () => {
    const { browser } = await fresh()
    world.clock.advance(HOUR)
    assert.equal(await isSignedIn(browser), false)
    assert.equal(await isSignedIn(browser), false)
    await purgeExpired(world.services)
    assert.equal(await isSignedIn(browser), false)
  })

  it('is not lengthened by a clock that is set back (FT-CLOCK-1)', async () => {
    const user = await fresh()
    const began = world.clock.now()
    for (const back of [CLOCK_SKEW + 1, 60, HOUR, 24 * HOUR, 10 * 365 * 24 * HOUR]) {
      world.clock.set(began - back)
      assert.equal(await isSignedIn(user.browser), false, `${back} s back`)
    }
    // Service stays usable: people sign in at whatever time it is, and again when the clock is right.
    world.clock.set(began - 10 * 365 * 24 * HOUR)
    assert.equal(await isSignedIn((await fresh()).browser), true)
    world.clock.set(began + 60)
    assert.equal(await isSignedIn(user.browser), true)
  })

  it('of a past that the clock jumped over is over (FT-CLOCK-1)', async () => {
    const { browser } = await fresh()
    const began = world.clock.now()
    for (const jump of [12 * HOUR, 365 * 24 * HOUR, 2 ** 31, 2 ** 32]) {
      world.clock.set(began + jump)
      assert.equal(await isSignedIn(browser), false)
    }
    assert.equal(await isSignedIn((await fresh()).browser), true)
  })

  it('works in 2039 and in 2107', async () => {
    for (const now of [2_200_000_000, 4_323_000_000]) {
      world.clock.set(now)
      assert.equal(await isSignedIn((await fresh()).browser), true)
    }
    world.clock.set(1_800_000_000)
  })

  it('is one of twenty: the twenty-first ends the oldest (SEC-SES-12)', async () => {
    const user = await fresh()
    world.clock.advance(30)
    const browsers = [user.browser]
    for (let i = 2; i <= 20; i++) browsers.push(await signIn(world, user))
    assert.equal((await Promise.all(browsers.map(isSignedIn))).every(Boolean), true)
    const last = await signIn(world, user)
    assert.equal(await isSignedIn(last), true)
    const still = await Promise.all(browsers.map(isSignedIn))
    assert.deepEqual(still, [false, ...Array(19).fill(true)])
    const ended = (await world.audit()).filter((e) => e.user_id === user.id && e.event === 'session-ended')
    assert.deepEqual(
      ended.map((e) => e.fields.reason),
      ['over-limit'],
    )
  })

  it('is opened by its whole token only (SEC-SES-1, FT-FUZZ-4)', async () => {
    const { browser } = await fresh()
    const token = String(browser.cookies.get(SESSION))
    const flip = (at: number) => token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
    // The last character of base64url carries four bits of the 256 only; the text is hashed as it is.
    const others = [...token].map((_, at) => flip(at))
    const spelt = [
      token.slice(1),
      `${token}A`,
      `${token}=`,
      token.toLowerCase(),
      `"${token}"`,
      `${token}%20`,
      '',
    ]
    for (const value of [...others, ...spelt]) {
      const thief = stranger(world)
      thief.cookies.set(SESSION, value)
      assert.equal(await isSignedIn(thief), false, value)
    }
  })

  it('ended by its user is dead for every request after, however many come at once (SEC-SES-7)', async () => {
    const { browser } = await fresh()
    const copies = Array.from({ length: 20 }, () => browser.clone())
    assert.equal((await browser.post('/auth/logout/')).status, 200)
    const replies = await atOnce(20, (index) => (copies[index] ?? browser).get('/auth/session/'))
    for (const reply of replies) assert.deepEqual(errorOf(reply), [401, 'not_signed_in'])
  })
})
