import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { PASSWORD, phoneOf, startWorld, type World } from '../world.ts'

const NEW_PASSWORD = 'violet anvil under seven moons'

describe('a login in a browser that still holds a session of somebody else', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())

  it('gets to enrol although that session is no longer fresh', async () => {
    const { browser } = await world.enrolled('first')
    world.clock.advance(600)
    await world.user('second')
    const login = await browser.post('/auth/login/', { username: 'second', password: PASSWORD })
    assert.equal(login.body.next, 'enrol-totp')
    const registered = await browser.post('/auth/register-secret/')
    assert.equal(registered.status, 200)
    const phone = phoneOf(world.clock, registered.body.shared_secret)
    const verified = await browser.post('/auth/verify/', { otp: phone.code() })
    assert.equal(verified.body.user.username, 'second')
  })

  it('gets to replace its password, and changes nothing of the other user', async () => {
    const { browser } = await world.enrolled('third')
    const due = await world.enrolled('fourth', { mustChangePassword: false })
    await world.services.db
      .updateTable('password_hash')
      .set({ must_change: 1 })
      .where('user_id', '=', due.id)
      .execute()
    await browser.post('/auth/login/', { username: 'fourth', password: PASSWORD })
    const verified = await browser.post('/auth/verify/', { otp: due.phone.code() })
    assert.equal(verified.body.next, 'new-password')
    const replaced = await browser.post('/auth/password/', { new_password: NEW_PASSWORD })
    assert.equal(replaced.body.user.username, 'fourth')
    const third = await world.browser().post('/auth/login/', { username: 'third', password: PASSWORD })
    assert.equal(third.status, 200)
  })

  it('still asks a session for the current password when no login waits', async () => {
    const { browser } = await world.enrolled('fifth')
    const reply = await browser.post('/auth/password/', { new_password: NEW_PASSWORD })
    assert.deepEqual([reply.status, reply.body.code], [400, 'invalid_request'])
  })
})
