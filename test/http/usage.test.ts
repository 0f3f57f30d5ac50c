import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { PASSWORD, phoneOf, startWorld, type World } from '../world.ts'

describe('the two calls that other programs already make', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())

  it('registers a secret after a login and authenticates with all three', async () => {
    await world.user('alice')
    const browser = world.browser()
    const login = await browser.post('/auth/login/', { username: 'alice', password: PASSWORD })
    assert.equal(login.body.next, 'enrol-totp')

    const registered = await browser.post('/auth/register-secret/')
    assert.equal(registered.headers.get('cache-control'), 'no-store')
    const phone = phoneOf(world.clock, registered.body.shared_secret)

    const program = world.browser()
    const credentials = { username: 'alice', password: PASSWORD, otp: phone.code() }
    const signedIn = await program.post('/auth/authenticate/', credentials)
    assert.equal(signedIn.status, 200)
    assert.equal(signedIn.body.message, 'Authentication successful')
    assert.equal(signedIn.body.verified, true)
    assert.equal((await program.get('/auth/session/')).body.user.username, 'alice')

    const again = await program.post('/auth/authenticate/', credentials)
    assert.deepEqual([again.status, again.body.error], [400, 'Invalid OTP'])
  })
})
