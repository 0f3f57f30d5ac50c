import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { PASSWORD, startWorld, type World } from '../world.ts'
import { errorOf, giveCounterToken, stranger } from './journeys.ts'

for (const window of [0, 1, 2]) {
  describe(`the window of ${window} steps (SEC-OTP-3, L-21)`, () => {
    let world: World
    before(async () => {
      world = await startWorld({ config: { totp: { window } } })
    })
    after(() => world.close())

    /** A user whose phone was last used long ago, at the very beginning of a time step. */
    const someone = async (username: string) => {
      const user = await world.enrolled(username)
      world.clock.set(Math.ceil(world.clock.now() / 30) * 30 + 300)
      return user
    }
    const authenticate = (username: string, otp: string) =>
      stranger(world).post('/auth/authenticate/', { username, password: PASSWORD, otp })

    for (let offset = -3; offset <= 3; offset++) {
      const accepted = Math.abs(offset) <= window
      it(`${accepted ? 'takes' : 'refuses'} the code of step ${offset}`, async () => {
        const { username, phone } = await someone(`offset${offset + 3}`)
        assert.equal((await authenticate(username, phone.code(offset))).status, accepted ? 200 : 400)
      })
    }

    it('ends with the second after it, and not before', async () => {
      const { username, phone } = await someone('late')
      const otp = phone.code()
      world.clock.advance(30 * (window + 1))
      assert.deepEqual(errorOf(await authenticate(username, otp)), [400, 'invalid_otp'])
      world.clock.advance(-1)
      assert.equal((await authenticate(username, otp)).status, 200)
    })

    it('begins with its first second, and not before', async () => {
      const { username, phone } = await someone('early')
      const otp = phone.code(window)
      world.clock.advance(-1)
      assert.deepEqual(errorOf(await authenticate(username, otp)), [400, 'invalid_otp'])
      world.clock.advance(1)
      assert.equal((await authenticate(username, otp)).status, 200)
    })

    it('cannot be walked away from the server’s time (SEC-OTP-12)', async () => {
      const { username, phone } = await someone('walker')
      for (let ahead = 1; ahead <= 8; ahead++) await authenticate(username, phone.code(ahead))
      const { body } = await authenticate(username, phone.code(3))
      assert.equal(body.code, 'throttled')
      world.clock.advance(3600)
      const fields = (steps: number) => authenticate(username, phone.code(steps))
      assert.notEqual((await fields(3)).status, 200)
      assert.notEqual((await fields(-3)).status, 200)
    })
  })
}

describe('a counter token (SEC-OTP-13)', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())

  const token = async (username: string) => {
    await world.user(username)
    const code = await giveCounterToken(world, username)
    const send = async (otp: string) => {
      const reply = await stranger(world).post('/auth/authenticate/', { username, password: PASSWORD, otp })
      return reply.status
    }
    return { code, send }
  }

  for (const ahead of [0, 4, 5]) {
    it(`that ran ${ahead} ahead is found`, async () => {
      const { code, send } = await token(`ahead${ahead}`)
      assert.equal(await send(code(ahead)), 200)
      assert.equal(await send(code(ahead)), 400)
      assert.equal(await send(code(ahead + 1)), 200)
    })
  }

  it('that ran 6 ahead is not found by one code', async () => {
    const { code, send } = await token('ahead6')
    assert.equal(await send(code(6)), 400)
    assert.equal(await send(code(0)), 200)
  })

  it('never takes a lower counter', async () => {
    const { code, send } = await token('lower')
    assert.equal(await send(code(3)), 200)
    for (const earlier of [0, 1, 2, 3]) assert.equal(await send(code(earlier)), 400)
    assert.equal(await send(code(4)), 200)
  })

  for (const ahead of [6, 49, 50]) {
    it(`that ran ${ahead} ahead is found by two codes in a row`, async () => {
      const { code, send } = await token(`pair${ahead}`)
      assert.equal(await send(`${code(ahead)}${code(ahead + 1)}`), 200)
      assert.equal(await send(code(ahead + 1)), 400)
      assert.equal(await send(code(ahead + 2)), 200)
    })
  }

  it('that ran 51 ahead is not found by two codes in a row', async () => {
    const { code, send } = await token('pair51')
    assert.equal(await send(`${code(51)} ${code(52)}`), 400)
    assert.equal(await send(code(0)), 200)
  })

  it('is not found by two codes that do not follow each other', async () => {
    const { code, send } = await token('gap')
    assert.equal(await send(`${code(10)}${code(12)}`), 400)
    assert.equal(await send(`${code(11)}${code(10)}`), 400)
  })

  it('does not move by a wrong code', async () => {
    const { code, send } = await token('still')
    for (let i = 0; i < 4; i++) assert.equal(await send(code(20 + i)), 400)
    assert.equal(await send(code(0)), 200)
  })
})
