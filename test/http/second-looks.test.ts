import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { PASSWORD, startWorld, type World } from '../world.ts'

const NEW_PASSWORD = 'violet anvil under seven moons'

describe('what changes between two steps', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())

  it('a login that was signed out while its new password was hashed becomes no session', async () => {
    const { browser, phone } = await due(world)
    await browser.post('/auth/login/', { username: 'due', password: PASSWORD })
    await browser.post('/auth/verify/', { otp: phone.code() })
    const elsewhere = browser.clone()
    const replacing = browser.post('/auth/password/', { new_password: NEW_PASSWORD })
    const signedOut = elsewhere.post('/auth/logout/')
    const [replaced] = await Promise.all([replacing, signedOut])
    const session = await browser.get('/auth/session/')
    // Whichever was first, both agree: a session only where the password was replaced before the login ended.
    assert.equal(session.status, replaced.status === 200 ? 200 : 401)
    const old = await world.browser().post('/auth/login/', { username: 'due', password: PASSWORD })
    assert.equal(old.status, replaced.status === 200 ? 401 : 200)
  })

  it('an exact repeat leaves no wait behind that was not there before', async () => {
    const { browser, phone } = await world.enrolled('repeating')
    const used = phone.code()
    const fields = { username: 'repeating', password: PASSWORD }
    assert.equal((await browser.post('/auth/authenticate/', { ...fields, otp: used })).status, 200)
    for (let i = 0; i < 5; i++) await browser.post('/auth/authenticate/', { ...fields, otp: '000000' })
    world.clock.advance(30)
    assert.equal((await browser.post('/auth/authenticate/', { ...fields, otp: used })).status, 400)
    assert.equal((await browser.post('/auth/authenticate/', { ...fields, otp: phone.code() })).status, 200)
  })

  it('tells no longer time for the first code than the login that waits for it has left', async () => {
    await world.user('scanning')
    const browser = world.browser()
    await browser.post('/auth/login/', { username: 'scanning', password: PASSWORD })
    world.clock.advance(100)
    assert.equal((await browser.post('/auth/register-secret/')).body.expires_in, 200)
  })
})

async function due(world: World) {
  const person = await world.enrolled('due')
  await world.services.db
    .updateTable('password_hash')
    .set({ must_change: 1 })
    .where('user_id', '=', person.id)
    .execute()
  return person
}

describe('when the site changes its mind about the second factor', () => {
  it('sessions that a password alone opened end as soon as a code is demanded (SEC-AUTH-3)', async () => {
    const world = await startWorld({ config: { login: { enrolment: 'optional' } } })
    await world.user('plain')
    const browser = world.browser()
    assert.equal(
      (await browser.post('/auth/login/', { username: 'plain', password: PASSWORD })).body.next,
      'done',
    )
    assert.equal((await browser.get('/auth/session/')).status, 200)
    Object.assign(world.services.policy, { enrolment: 'required' })
    assert.equal((await browser.get('/auth/session/')).status, 401)
    await world.close()
  })

  it('a password that is too short to stand alone is replaced before it opens a session (SEC-PW-1)', async () => {
    const world = await startWorld()
    const short = 'k7#plmzq'
    await world.user('brief', { password: short })
    Object.assign(world.services.policy, { enrolment: 'optional' })
    const browser = world.browser()
    assert.equal(
      (await browser.post('/auth/login/', { username: 'brief', password: short })).body.next,
      'new-password',
    )
    assert.equal((await browser.get('/auth/session/')).status, 401)
    const replaced = await browser.post('/auth/password/', { new_password: NEW_PASSWORD })
    assert.equal(replaced.body.next, 'done')
    await world.close()
  })
})

describe('a queue for hashing that is too slow', () => {
  it('charges nobody whose password was never looked at (SEC-PW-16)', async () => {
    const world = await startWorld({
      realHashes: true,
      config: { password: { hashThreads: 1, hashDeadline: 0.001, passes: 2, memoryKib: 19_456 } },
    })
    await world.user('patient')
    const tries = Array.from({ length: 12 }, () =>
      world.browser().post('/auth/login/', { username: 'patient', password: PASSWORD }),
    )
    const statuses = (await Promise.all(tries)).map(({ status }) => status)
    assert.ok(statuses.includes(503))
    const left = await world.services.db.selectFrom('attempts').select(['key', 'count']).execute()
    assert.deepEqual(
      left.filter(({ count }) => count > 0),
      [],
    )
    await world.close()
  })
})
