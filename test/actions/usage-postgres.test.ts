import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startPostgres } from '../support/postgres.ts'
import { expectStatus, PASSWORD, phoneOf, startWorld, type World } from '../world.ts'

describe('the whole journey on PostgreSQL (SEC-DB-5)', () => {
  const cluster = startPostgres()
  let world: World
  before(async () => {
    const databaseUrl = await (await cluster).createDatabase('usage')
    world = await startWorld({ databaseUrl })
  })
  after(async () => {
    await world.close()
    await (await cluster).stop()
  })

  it('registers a secret after a login and authenticates with all three', async () => {
    await world.user('alice')
    const browser = world.browser()
    const login = await browser.post('/auth/login/', { username: 'alice', password: PASSWORD })
    assert.equal(login.body.next, 'enrol-totp')
    const registered = await browser.post('/auth/register-secret/')
    const phone = phoneOf(world.clock, registered.body.shared_secret)

    const program = world.browser()
    const credentials = { username: 'alice', password: PASSWORD, otp: phone.code() }
    const signedIn = await program.post('/auth/authenticate/', credentials)
    assert.deepEqual([signedIn.status, signedIn.body.message], [200, 'Authentication successful'])
    assert.equal((await program.get('/auth/session/')).body.user.username, 'alice')

    const again = await program.post('/auth/authenticate/', credentials)
    assert.deepEqual([again.status, again.body.error], [400, 'Invalid OTP'])
    world.clock.advance(30)
    const next = { ...credentials, otp: phone.code() }
    assert.equal((await world.browser().post('/auth/authenticate/', next)).status, 200)
  })

  it('makes recovery codes, takes one once, ends what was open', async () => {
    const { username, browser } = await world.enrolled('bob')
    const made = await expectStatus(browser.post('/auth/recovery-codes/'), 200)
    const [otp] = made.body.recovery_codes
    const elsewhere = world.browser()
    const credentials = { username, password: PASSWORD, otp }
    assert.equal((await elsewhere.post('/auth/authenticate/', credentials)).status, 200)
    assert.equal((await browser.get('/auth/session/')).status, 401)
    assert.equal((await world.browser().post('/auth/authenticate/', credentials)).status, 400)
  })

  it('lists and ends sessions, changes the password, signs out', async () => {
    const { username, browser, phone } = await world.enrolled('carol')
    const elsewhere = world.browser()
    const credentials = { username, password: PASSWORD, otp: phone.code() }
    await expectStatus(elsewhere.post('/auth/authenticate/', credentials), 200)
    const listed = await expectStatus(browser.get('/auth/sessions/'), 200)
    assert.equal(listed.body.sessions.length, 2)
    const change = { current_password: PASSWORD, new_password: 'quite another long password' }
    await expectStatus(browser.post('/auth/password/', change), 200)
    assert.equal((await elsewhere.get('/auth/session/')).status, 401)
    assert.equal((await browser.get('/auth/session/')).status, 200)
    await expectStatus(browser.post('/auth/logout/'), 200)
    assert.equal((await browser.get('/auth/session/')).status, 401)
  })

  it('has nothing under an id that no text of the database could be', async () => {
    const { browser } = await world.enrolled('dora')
    for (const id of ['%00', 'a%00b', '%ED%A0%80', '%']) {
      assert.equal((await browser.patch(`/auth/devices/${id}/`, { name: 'x' })).status, 404, id)
      assert.equal((await browser.delete(`/auth/devices/${id}/`)).status, 404, id)
      assert.equal((await browser.delete(`/auth/sessions/${id}/`)).status, 404, id)
    }
  })

  it('is ready, and wrote down what happened', async () => {
    assert.equal((await world.browser().get('/readyz')).status, 200)
    const events = new Set((await world.audit()).map(({ event }) => event))
    for (const event of [
      'user-created',
      'device-confirmed',
      'signed-in',
      'code-refused',
      'recovery-code-used',
    ]) {
      assert.ok(events.has(event), event)
    }
  })
})
