import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { beginSetup } from '../../src/actions/begin-setup.ts'
import { inviteUser } from '../../src/actions/invite-user.ts'
import { locationOf, readable, submit } from '../support/forms.ts'
import { PASSWORD, startWorld, type World } from '../world.ts'

describe('the first start', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())

  it('makes the first superuser by the printed address, once, and goes on to the second factor', async () => {
    const begun = await beginSetup(world.services)
    assert.ok(begun.kind === 'begun')
    const browser = world.browser()
    const fields = { username: 'root', display_name: '', password: PASSWORD }
    const page = await browser.get('/setup')
    const code = begun.setup.token

    const wrong = await submit(browser, page, '/setup', { ...fields, code: 'a'.repeat(43) })
    assert.equal(wrong.status, 422)
    assert.match(readable(wrong), /works no more/)
    const short = await submit(browser, page, '/setup', { ...fields, code, password: 'short' })
    assert.match(readable(short), /Use at least 8 characters/)
    assert.match(short.text, new RegExp(`value="${code}"`), 'the code has to be pasted again')
    const odd = await submit(browser, page, '/setup', { ...fields, code, username: 'a b' })
    assert.match(readable(odd), /letters, digits/)

    const link = `https://auth.example.com/setup#${code}`
    const done = await submit(browser, page, '/setup', { ...fields, code: link })
    assert.equal(locationOf(done), '/login', done.text)
    assert.match((await browser.get('/login')).text, /id="secret"/)
    const again = world.browser()
    const second = await submit(again, await again.get('/setup'), '/setup', { ...fields, code })
    assert.match(readable(second), /was made already/)
  })
})

describe('an invitation', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())

  it('lets its user choose a password, once; opening the link changes nothing (SEC-REC-11)', async () => {
    await world.user('guest', { password: undefined })
    const invited = await inviteUser(world.services, 'guest', { operator: 'test' })
    assert.ok(invited.kind === 'invited')
    const code = invited.invitation.token
    const browser = world.browser()
    let page = await browser.get('/invite')
    for (let i = 0; i < 20; i++) page = await browser.get('/invite')
    assert.doesNotMatch(page.text, new RegExp(code))
    const weak = await submit(browser, page, '/invite', { code, new_password: 'password123' })
    assert.equal(weak.status, 422)
    const done = await submit(browser, page, '/invite', { code, new_password: PASSWORD })
    assert.equal(locationOf(done), '/login')
    assert.match((await browser.get('/login')).text, /id="secret"/)
    const other = world.browser()
    const used = await submit(other, await other.get('/invite'), '/invite', { code, new_password: PASSWORD })
    assert.equal(used.status, 422)
    assert.match(readable(used), /works no more/)
  })

  it('asks a user who has an authenticator for its code all the same', async () => {
    const { browser: theirs } = await world.enrolled('forgetful')
    const invited = await inviteUser(world.services, 'forgetful', { operator: 'test' })
    assert.ok(invited.kind === 'invited')
    const browser = world.browser()
    const fields = { code: invited.invitation.token, new_password: 'another horse another staple' }
    assert.equal(locationOf(await submit(browser, await browser.get('/invite'), '/invite', fields)), '/login')
    assert.match(readable(await browser.get('/login')), /Enter your code/)
    assert.equal((await browser.get('/auth/session/')).status, 401)
    assert.equal((await theirs.get('/auth/session/')).status, 401, 'what was open before has ended')
  })
})
