import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { change, makeAdmin, open, recorded } from '../support/admin.ts'
import { fillIn, locationOf, readable } from '../support/forms.ts'
import { type Enrolled, PASSWORD, startWorld, type World } from '../world.ts'

describe('the page of a user', () => {
  let world: World
  let admin: Enrolled
  let user: Enrolled
  let page: string
  let count = 0

  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())
  beforeEach(async () => {
    count++
    user = await world.enrolled(`bob${count}`, { displayName: 'Bob Baker' })
    admin = await makeAdmin(world, `ada${count}`)
    page = `/admin/users/${user.id}`
  })

  const press = (verb: string, notice: string, fields: Record<string, string> = {}) =>
    change(admin.browser, page, `${page}/${verb}`, { fields, to: `${page}?notice=${notice}` })

  const assertRecorded = async (event: string) =>
    assert.deepEqual((await recorded(world, event)).at(-1), { kind: 'user', by: admin.id, user: user.id })

  it('tells everything but secrets, and has no field for a password (SEC-PW-14, SEC-OTP-9)', async () => {
    await user.browser.post('/auth/recovery-codes/')
    const shown = await open(admin.browser, page)
    const text = readable(shown)
    for (const part of ['Bob Baker', user.id, 'Second factor active', 'Recovery codes left', '203.0.113.7']) {
      assert.ok(text.includes(part), part)
    }
    const devices = await world.services.db.selectFrom('otp_device').select('sealed_key').execute()
    const hashes = await world.services.db.selectFrom('password_hash').select('hash').execute()
    for (const secret of [
      user.phone.secret,
      ...devices.map((row) => row.sealed_key),
      ...hashes.map((row) => row.hash),
    ]) {
      assert.ok(!shown.text.includes(secret))
    }
    assert.doesNotMatch(shown.text, /type="password"|\$argon2|otpauth:/)
  })

  it('disables and enables', async () => {
    await press('disable', 'disabled')
    await assertRecorded('user-disabled')
    assert.equal((await user.browser.get('/auth/session/')).status, 401)
    assert.match(
      readable(await open(admin.browser, `${page}?notice=disabled`)),
      /Disabled since.*Enable the account/,
    )
    await press('disable', 'already-so')
    await press('enable', 'enabled')
    await assertRecorded('user-enabled')
  })

  it('lifts the waits, which it shows', async () => {
    for (let i = 0; i < 8; i++) {
      await world.browser().post('/auth/login/', { username: user.username, password: 'wrong wrong wrong' })
    }
    assert.match(readable(await open(admin.browser, page)), /Has to wait .* after too many wrong attempts/)
    await press('unlock', 'unlocked')
    await assertRecorded('user-unlocked')
    assert.doesNotMatch(readable(await open(admin.browser, page)), /Has to wait/)
  })

  it('ends one session, and all of them (SEC-SES-8)', async () => {
    const other = world.browser({ userAgent: 'Other/1.0' })
    const credentials = { username: user.username, password: PASSWORD, otp: user.phone.code() }
    assert.equal((await other.post('/auth/authenticate/', credentials)).status, 200)
    const shown = await open(admin.browser, page)
    assert.match(shown.text, /aria-label="End the session of Other\/1\.0 at 203\.0\.113\.7"/)
    const [, latest = ''] = /name="session" value="([0-9a-v]{26})"/.exec(shown.text) ?? []
    await press('sessions/end', 'sessions-ended', { session: latest })
    await assertRecorded('session-ended')
    assert.equal((await other.get('/auth/session/')).status, 401)
    assert.equal((await user.browser.get('/auth/session/')).status, 200)
    await press('sessions/end', 'gone', { session: latest })
    await press('sessions/end', 'sessions-ended', { session: 'all' })
    await assertRecorded('sessions-ended')
    assert.equal((await user.browser.get('/auth/session/')).status, 401)
  })

  it('shows ten sessions of somebody with more, and stays light', async () => {
    const { db } = world.services
    const [held] = await db.selectFrom('session').selectAll().where('user_id', '=', user.id).execute()
    assert.ok(held)
    const more = Array.from({ length: 24 }, () => {
      const id = world.services.newId()
      return { ...held, id, token_hash: `${held.token_hash}${id}` as typeof held.token_hash }
    })
    await db.insertInto('session').values(more).execute()
    const shown = await open(admin.browser, page)
    assert.match(readable(shown), /And 15 more/)
    assert.ok(Buffer.byteLength(shown.text) < 30_000)
  })

  it("does nothing to somebody else's session (SEC-AZ-2)", async () => {
    const own = await open(admin.browser, `/admin/users/${admin.id}`)
    const [, id = ''] = /name="session" value="([0-9a-v]{26})"/.exec(own.text) ?? []
    await press('sessions/end', 'gone', { session: id })
    await open(admin.browser, page)
  })

  it('adds to groups and removes from them', async () => {
    const group = `staff${count}`
    await change(admin.browser, '/admin/groups', '/admin/groups', {
      fields: { group },
      to: '/admin/groups?notice=group-made',
    })
    await press('groups/add', 'added', { group })
    await assertRecorded('group-member-added')
    assert.match((await open(admin.browser, page)).text, new RegExp(`aria-label="Remove from ${group}"`))
    await press('groups/add', 'already-so', { group })
    await press('groups/remove', 'removed', { group })
    await assertRecorded('group-member-removed')
    await press('groups/add', 'gone', { group: 'nothing' })
  })

  it('resets a password by a link that leaves the second factor alone (SEC-PW-15)', async () => {
    const answer = await fillIn(admin.browser, page, `${page}/invite`)
    assert.equal(answer.status, 200)
    assert.match(readable(answer), /leaves the second factor as it is/)
    const [, code = ''] = /\/invite#([\w-]{43})/.exec(answer.text) ?? []
    await assertRecorded('invitation-made')
    assert.ok(!(await open(admin.browser, page)).text.includes(code))
    const used = await world
      .browser()
      .post('/auth/invitation/', { code, password: 'several words put together' })
    assert.deepEqual([used.status, used.body.next], [200, 'totp'])
  })

  it('invites nobody who is disabled', async () => {
    await press('disable', 'disabled')
    await press('invite', 'is-disabled')
    assert.doesNotMatch((await open(admin.browser, page)).text, /\/invite"/)
  })

  it('resets a second factor after saying what happens, and shows the code once (SEC-AUTH-16)', async () => {
    const asked = await open(admin.browser, `${page}/reset`)
    assert.match(readable(asked), /stop working.*24 hours.*really this person/)
    const answer = await fillIn(admin.browser, `${page}/reset`, `${page}/reset`)
    assert.equal(answer.status, 200)
    await assertRecorded('second-factor-reset')
    const [, code = ''] = /id="code"[^>]*>([^<]+)</.exec(answer.text) ?? []
    assert.ok(code.length > 10)
    assert.match(readable(answer), /works once, until/)
    assert.ok(!(await open(admin.browser, page)).text.includes(code))
    const login = world.browser()
    await login.post('/auth/login/', { username: user.username, password: PASSWORD })
    assert.equal((await login.post('/auth/verify/', { otp: code })).status, 200)
  })

  it('has no dangerous button for oneself and says why; a forged form changes nothing', async () => {
    const own = `/admin/users/${admin.id}`
    const shown = await open(admin.browser, own)
    assert.match(readable(shown), /This is your own account/)
    for (const verb of ['disable', 'invite', 'reset']) {
      assert.ok(!shown.text.includes(`${own}/${verb}"`), verb)
      const answer = await fillIn(admin.browser, own, `${own}/${verb}`)
      assert.deepEqual([answer.status, locationOf(answer)], [303, `${own}?notice=own-account`], verb)
    }
    assert.equal(locationOf(await admin.browser.get(`${own}/reset`)), `${own}?notice=own-account`)
    assert.match(readable(await open(admin.browser, `${own}?notice=own-account`)), /own account here/)
  })

  it('says only what is on its list', async () => {
    const shown = await open(admin.browser, `${page}?notice=%3Cb%3Eowned`)
    assert.ok(!shown.text.includes('owned</') && !shown.text.includes('class="notice'))
  })

  it('speaks German', async () => {
    const shown = await admin.browser.get(page, { 'accept-language': 'de' })
    assert.match(readable(shown), /Zweiter Faktor aktiv.*Konto sperren.*Sitzungen.*Letzte Ereignisse/)
  })
})

describe("the second factor of another administrator's account (SEC-AUTH-16)", () => {
  let world: World
  let [ada, grace, target]: Enrolled[] = []
  before(async () => {
    world = await startWorld()
    target = await makeAdmin(world, 'target')
    ada = await makeAdmin(world, 'ada')
    grace = await makeAdmin(world, 'grace')
  })
  after(() => world.close())

  it('is reset by two, and never by one', async () => {
    assert.ok(ada && grace && target)
    const page = `/admin/users/${target.id}`
    assert.match(readable(await open(ada.browser, `${page}/reset`)), /it takes two/)
    await change(ada.browser, `${page}/reset`, `${page}/reset`, { to: `${page}?notice=reset-requested` })
    const waiting = await open(ada.browser, page)
    assert.match(readable(waiting), /ada asked to reset .* waits for another administrator/)
    assert.ok(!waiting.text.includes(`${page}/reset"`))
    assert.equal(locationOf(await ada.browser.get(`${page}/reset`)), `${page}?notice=reset-waits`)
    await change(ada.browser, page, `${page}/reset`, { to: `${page}?notice=reset-waits` })
    await change(target.browser, page, `${page}/reset`, { to: `${page}?notice=own-account` })
    assert.deepEqual(await recorded(world, 'second-factor-reset'), [])

    assert.match(readable(await open(grace.browser, page)), /You can approve it.*Approve the reset/)
    const done = await fillIn(grace.browser, `${page}/reset`, `${page}/reset`)
    assert.match(readable(done), /The second factor is reset/)
    assert.deepEqual(await recorded(world, 'reset-requested'), [
      { kind: 'user', by: ada.id, user: target.id },
    ])
    assert.deepEqual(await recorded(world, 'second-factor-reset'), [
      { kind: 'user', by: grace.id, user: target.id },
    ])
  })

  it('stays when the request is withdrawn, by whom it is about too', async () => {
    assert.ok(ada && grace && target)
    const page = `/admin/users/${grace.id}`
    const request = () =>
      change(ada?.browser ?? world.browser(), `${page}/reset`, `${page}/reset`, {
        to: `${page}?notice=reset-requested`,
      })
    for (const by of [ada, grace]) {
      await request()
      await change(by.browser, page, `${page}/reset/withdraw`, { to: `${page}?notice=reset-withdrawn` })
      assert.equal((await recorded(world, 'reset-withdrawn')).at(-1)?.by, by.id)
    }
    await change(ada.browser, page, `${page}/reset/withdraw`, { to: `${page}?notice=gone` })
    assert.equal((await recorded(world, 'second-factor-reset')).length, 1)
  })

  it('is not got around by an invitation', async () => {
    assert.ok(ada && grace)
    const page = `/admin/users/${grace.id}`
    await change(ada.browser, page, `${page}/invite`, { to: `${page}?notice=needs-operator` })
    assert.match(readable(await open(ada.browser, page)), /only the operator makes such a link/)
  })
})
