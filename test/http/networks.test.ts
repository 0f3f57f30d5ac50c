import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Config } from '../../src/config/load.ts'
import { PASSWORD, startWorld, type World } from '../world.ts'
import { errorOf, signIn } from './journeys.ts'

/** A world with these limits, for one test. */
async function within(throttle: Partial<Config['throttle']>, test: (world: World) => Promise<void>) {
  const world = await startWorld({ config: { throttle } })
  try {
    await test(world)
  } finally {
    await world.close()
  }
}

let names = 0
/** A wrong password for a name that nobody tried before. */
const spray = async (world: World, address: string) => {
  names++
  const reply = await world
    .browser({ address })
    .post('/auth/login/', { username: `n${names}`, password: 'wrong' })
  return reply.status
}

describe('the budget of a network', () => {
  it('takes a hundred attempts from one address by default, and not one more (SEC-DOC-1)', () =>
    within({}, async (world) => {
      for (let i = 0; i < 100; i++) assert.equal(await spray(world, '192.0.2.1'), 401)
      assert.equal(await spray(world, '192.0.2.1'), 429)
      assert.equal(await spray(world, '192.0.2.2'), 401)
      world.clock.advance(899)
      assert.equal(await spray(world, '192.0.2.1'), 429)
      world.clock.advance(1)
      assert.equal(await spray(world, '192.0.2.1'), 401)
    }))

  it('is one for all addresses of a /64 (SEC-RATE-2, L-26)', () =>
    within({ networkLimit: 50 }, async (world) => {
      const address = (host: number) =>
        `2001:db8:1:1:${((host * 7919) % 65_536).toString(16)}::${host.toString(16)}`
      for (let host = 1; host <= 50; host++) assert.equal(await spray(world, address(host)), 401)
      for (let host = 51; host <= 100; host++) assert.equal(await spray(world, address(host)), 429)
      assert.equal(await spray(world, '2001:db8:1:2::1'), 401)
    }))

  it('is one for every spelling of an address (SEC-RATE-2)', () =>
    within({ networkLimit: 10 }, async (world) => {
      const spellings = ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:192.0.2.1']
      for (let i = 0; i < 10; i++) assert.equal(await spray(world, spellings[i % 3] ?? ''), 401)
      for (const spelling of spellings) assert.equal(await spray(world, spelling), 429)
    }))

  it('of a site ends its /48, and its /24, whatever the networks in it do (SEC-RATE-2)', () =>
    within({ networkLimit: 10, siteLimit: 20 }, async (world) => {
      for (let i = 0; i < 20; i++) assert.equal(await spray(world, `2001:db8:9:${i}::1`), 401)
      assert.equal(await spray(world, '2001:db8:9:ffff::1'), 429)
      assert.equal(await spray(world, '2001:db8:8::1'), 401)
      for (let i = 0; i < 20; i++) assert.equal(await spray(world, `192.0.2.${i}`), 401)
      assert.equal(await spray(world, '192.0.2.200'), 429)
      assert.equal(await spray(world, '192.0.3.200'), 401)
    }))

  it('of the whole server ends, but not for a known browser (SEC-RATE-2, SEC-RATE-5)', () =>
    within({ serverLimit: 30 }, async (world) => {
      const user = await world.enrolled('inside')
      // The clock stood still for the sign-ins of the enrolment, whose charges were given back.
      for (let i = 0; i < 30; i++) assert.equal(await spray(world, `10.${i}.0.1`), 401)
      assert.equal(await spray(world, '10.99.0.1'), 429)
      await signIn(world, user, user.browser)
      world.clock.advance(60)
      assert.equal(await spray(world, '10.99.0.1'), 401)
    }))

  it('is not given back by one’s own sign-ins in between (SEC-RATE-4, L-29)', () =>
    within({ networkLimit: 10 }, async (world) => {
      const mallory = await world.enrolled('mallory')
      const statuses: number[] = []
      for (let i = 0; i < 14; i++) {
        statuses.push(await spray(world, '192.0.2.9'))
        if (statuses.at(-1) !== 401) continue
        const own = { username: 'mallory', password: PASSWORD, otp: mallory.phone.code() }
        const reply = await world.browser({ address: '192.0.2.9' }).post('/auth/authenticate/', own)
        if (statuses.length < 10) assert.equal(reply.status, 200)
        world.clock.advance(30)
      }
      assert.equal(statuses.filter((status) => status === 401).length, 10)
      assert.deepEqual(statuses.slice(10), [429, 429, 429, 429])
    }))

  it('is not used up by people who sign in from it', () =>
    within({ networkLimit: 10 }, async (world) => {
      const user = await world.enrolled('office')
      for (let i = 0; i < 25; i++) await signIn(world, user, world.browser({ address: '192.0.2.77' }))
    }))

  it('is not spent by what is no request or never gets as far as a password', () =>
    within({ networkLimit: 10 }, async (world) => {
      const browser = world.browser({ address: '192.0.2.5' })
      for (let i = 0; i < 20; i++) {
        assert.deepEqual(errorOf(await browser.post('/auth/login/', { username: 'x' })), [
          400,
          'invalid_request',
        ])
        assert.equal((await browser.get('/auth/session/')).status, 401)
      }
      assert.equal(await spray(world, '192.0.2.5'), 401)
    }))
})
