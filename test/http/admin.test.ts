import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Enrolled, expectStatus, PASSWORD, startWorld, type World } from '../world.ts'
import { errorOf } from './journeys.ts'

const NEW_PASSWORD = 'another battery of staple horses'

describe('administration', () => {
  let world: World
  let admin: Enrolled
  let other: Enrolled
  before(async () => {
    world = await startWorld()
    // Each signs in a step later than the one before, and all proofs are fresh still.
    admin = await world.enrolled('admin', { isSuperuser: true })
    other = await world.enrolled('other', { isSuperuser: true })
  })
  after(() => world.close())

  /** The proof of the administrators as it is when a test begins. */
  const proveAgain = async () => {
    world.clock.advance(30)
    for (const { browser, username, phone } of [admin, other]) {
      const all = { username, password: PASSWORD, otp: phone.code() }
      await expectStatus(browser.post('/auth/authenticate/', all), 200)
    }
  }

  const codeOf = (link: string) => link.slice(link.indexOf('#') + 1)

  it('makes a user who chooses a password by a link that works once (SEC-REC-11, SEC-PW-14)', async () => {
    await proveAgain()
    await expectStatus(admin.browser.post('/auth/admin/groups/', { name: 'staff' }), 200)
    const fields = { username: 'newcomer', display_name: 'New', groups: 'staff' }
    const { body } = await expectStatus(admin.browser.post('/auth/admin/users/', fields), 200)
    assert.match(body.invitation_link, /^https:\/\/auth\.example\.com\/invite#[\w-]{43}$/)
    assert.equal(body.expires_in, 24 * 3600)
    const shown = await expectStatus(admin.browser.get(`/auth/admin/users/${body.user_id}/`), 200)
    assert.deepEqual(shown.body.groups, ['staff'])
    assert.equal(shown.body.invited_until, world.clock.now() + 24 * 3600)

    const browser = world.browser()
    const code = codeOf(body.invitation_link)
    const accepted = await expectStatus(
      browser.post('/auth/invitation/', { code, password: NEW_PASSWORD }),
      200,
    )
    assert.equal(accepted.body.next, 'enrol-totp')
    assert.deepEqual(
      errorOf(await world.browser().post('/auth/invitation/', { code, password: NEW_PASSWORD })),
      [404, 'invitation_over'],
    )
    await expectStatus(browser.post('/auth/register-secret/'), 200)
    const again = await world.browser().post('/auth/login/', { username: 'newcomer', password: NEW_PASSWORD })
    assert.equal(again.body.next, 'enrol-totp')
    assert.deepEqual(errorOf(await admin.browser.post('/auth/admin/users/', fields)), [409, 'username_taken'])
    assert.deepEqual(
      errorOf(await admin.browser.post('/auth/admin/users/', { username: 'x', groups: 'no' })),
      [404, 'no_such_group'],
    )
  })

  it('makes links from the settings, whatever host a request names (SEC-REC-11)', async () => {
    await proveAgain()
    const id = await world.user('linked')
    for (const name of ['host', 'x-forwarded-host', 'x-forwarded-proto', 'forwarded']) {
      const reply = await admin.browser.post(
        `/auth/admin/users/${id}/invitation/`,
        {},
        { [name]: 'evil.example' },
      )
      assert.match(reply.body.invitation_link, /^https:\/\/auth\.example\.com\/invite#/)
    }
  })

  it('lists and finds users, a part at a time', async () => {
    await proveAgain()
    const all = await expectStatus(admin.browser.get('/auth/admin/users/?limit=1000'), 200)
    const names = all.body.users.map((user: { username: string }) => user.username)
    assert.deepEqual(names, names.toSorted())
    assert.equal(all.body.next, null)
    const first = await expectStatus(admin.browser.get('/auth/admin/users/?limit=1'), 200)
    assert.deepEqual([first.body.users.length, first.body.next], [1, names[0]])
    const second = await expectStatus(admin.browser.get(`/auth/admin/users/?limit=1&after=${names[0]}`), 200)
    assert.equal(second.body.users[0].username, names[1])
    const chiefs = await expectStatus(admin.browser.get('/auth/admin/users/?filter=superuser'), 200)
    assert.deepEqual(
      chiefs.body.users.map((user: { username: string }) => user.username),
      ['admin', 'other'],
    )
  })

  it('finds who has to wait, by code or by password, and unlocks them', async () => {
    await proveAgain()
    const { id, username } = await world.enrolled('slowed')
    const guesser = world.browser()
    for (let count = 0; count < 5; count++)
      await guesser.post('/auth/login/', { username, password: 'wrong' })
    const throttled = async () => {
      const { body } = await expectStatus(admin.browser.get('/auth/admin/users/?filter=throttled'), 200)
      return body.users.map((user: { id: string }) => user.id)
    }
    assert.deepEqual(await throttled(), [id])
    await expectStatus(admin.browser.post(`/auth/admin/users/${id}/unlock/`), 200)
    assert.deepEqual(await throttled(), [])
  })

  it('disables and enables a user, and ends their sessions, all or one', async () => {
    await proveAgain()
    const { id, browser } = await world.enrolled('worker')
    const path = `/auth/admin/users/${id}`
    const { sessions } = (await expectStatus(admin.browser.get(`${path}/`), 200)).body
    assert.equal(sessions.length, 1)
    await expectStatus(admin.browser.delete(`/auth/admin/sessions/${sessions[0].id}/`), 200)
    assert.equal((await browser.get('/auth/session/')).status, 401)
    await expectStatus(admin.browser.delete(`/auth/admin/sessions/${sessions[0].id}/`), 404)
    const ended = await expectStatus(admin.browser.delete(`${path}/sessions/`), 200)
    assert.equal(ended.body.ended, 0)
    await expectStatus(admin.browser.post(`${path}/disable/`), 200)
    assert.deepEqual(errorOf(await admin.browser.post(`${path}/disable/`)), [409, 'already_so'])
    assert.deepEqual(errorOf(await admin.browser.post(`${path}/invitation/`)), [409, 'user_disabled'])
    await expectStatus(admin.browser.post(`${path}/enable/`), 200)
  })

  it('changes groups and who is in them', async () => {
    await proveAgain()
    const id = await world.user('member')
    const path = `/auth/admin/users/${id}/groups/`
    await expectStatus(admin.browser.post('/auth/admin/groups/', { name: 'wiki' }), 200)
    assert.deepEqual(errorOf(await admin.browser.post('/auth/admin/groups/', { name: 'wiki' })), [
      409,
      'already_so',
    ])
    assert.deepEqual(errorOf(await admin.browser.post('/auth/admin/groups/', { name: 'Not one' })), [
      400,
      'invalid_request',
    ])
    await expectStatus(admin.browser.post(path, { group: 'wiki' }), 200)
    const { groups } = (await expectStatus(admin.browser.get('/auth/admin/groups/'), 200)).body
    assert.equal(groups.find((group: { name: string }) => group.name === 'wiki').members, 1)
    await expectStatus(admin.browser.delete(`${path}wiki/`), 200)
    await expectStatus(admin.browser.delete('/auth/admin/groups/wiki/'), 200)
    assert.deepEqual(errorOf(await admin.browser.delete('/auth/admin/groups/wiki/')), [404, 'no_such_group'])
  })

  it('resets a user at once, and a superuser by two administrators (SEC-AUTH-16)', async () => {
    await proveAgain()
    const user = await world.enrolled('loser')
    const reset = await expectStatus(
      admin.browser.post(`/auth/admin/users/${user.id}/second-factor-reset/`),
      200,
    )
    assert.equal(reset.body.expires_in, 24 * 3600)
    const browser = world.browser()
    const all = { username: 'loser', password: PASSWORD, otp: reset.body.recovery_code }
    assert.equal((await expectStatus(browser.post('/auth/authenticate/', all), 200)).body.next, 'enrol-totp')

    const third = await world.enrolled('third', { isSuperuser: true })
    await proveAgain()
    const path = `/auth/admin/users/${third.id}/second-factor-reset/`
    const asked = await expectStatus(admin.browser.post(path), 200)
    assert.equal(asked.body.requested_until, world.clock.now() + 24 * 3600)
    assert.deepEqual(errorOf(await admin.browser.post(path)), [409, 'another_admin_required'])
    await expectStatus(other.browser.delete(path), 200)
    assert.equal((await other.browser.delete(path)).status, 404)
    await expectStatus(admin.browser.post(path), 200)
    const shown = await expectStatus(other.browser.get(`/auth/admin/users/${third.id}/`), 200)
    assert.equal(shown.body.reset_requested.by, admin.id)
    const done = await expectStatus(other.browser.post(path), 200)
    assert.equal(typeof done.body.recovery_code, 'string')
    assert.equal((await third.browser.get('/auth/session/')).status, 401)
  })

  it('does nothing to one’s own account, and invites no superuser', async () => {
    await proveAgain()
    for (const what of ['disable', 'second-factor-reset', 'invitation']) {
      const reply = await admin.browser.post(`/auth/admin/users/${admin.id}/${what}/`)
      assert.deepEqual(errorOf(reply), [409, 'own_account'], what)
    }
    const reply = await admin.browser.post(`/auth/admin/users/${other.id}/invitation/`)
    assert.deepEqual(errorOf(reply), [409, 'operator_required'])
  })

  it('says 404 for whoever is not there, and for what is no id', async () => {
    await proveAgain()
    const nobody = '0'.repeat(26)
    for (const what of ['disable', 'enable', 'unlock', 'invitation', 'second-factor-reset']) {
      assert.equal((await admin.browser.post(`/auth/admin/users/${nobody}/${what}/`)).status, 404, what)
      assert.equal((await admin.browser.post(`/auth/admin/users/admin/${what}/`)).status, 404, what)
    }
    assert.equal((await admin.browser.get(`/auth/admin/users/${nobody}/`)).status, 404)
    assert.equal((await admin.browser.delete(`/auth/admin/users/${nobody}/sessions/`)).status, 404)
  })

  it('shows what happened, by user, event and address, a part at a time', async () => {
    await proveAgain()
    const page = await expectStatus(admin.browser.get('/auth/admin/audit/?limit=2&event=signed-in'), 200)
    assert.equal(page.body.events.length, 2)
    const next = await expectStatus(
      admin.browser.get(`/auth/admin/audit/?limit=2&event=signed-in&after=${page.body.next}`),
      200,
    )
    const ids = [...page.body.events, ...next.body.events].map(({ id }: { id: string }) => id)
    assert.equal(new Set(ids).size, 4)
    const own = await expectStatus(admin.browser.get(`/auth/admin/audit/?user=${admin.id}`), 200)
    assert.ok(own.body.events.every((event: { user: { id: string } }) => event.user.id === admin.id))
    const elsewhere = await expectStatus(admin.browser.get('/auth/admin/audit/?address=198.51.100.9'), 200)
    assert.deepEqual(elsewhere.body, { events: [], next: null })
    const overview = await expectStatus(admin.browser.get('/auth/admin/overview/'), 200)
    assert.equal(overview.body.days.length, 30)
    assert.ok(overview.body.days.at(-1).signed_in > 0)
  })

  it('shows no secret to anybody (SEC-OTP-9, SEC-PW-14)', async () => {
    await proveAgain()
    const { id, phone } = await world.enrolled('secretive')
    const { text } = await expectStatus(admin.browser.get(`/auth/admin/users/${id}/`), 200)
    assert.doesNotMatch(text, new RegExp(`argon2|sealed|hash|${phone.secret}`, 'i'))
  })
})
