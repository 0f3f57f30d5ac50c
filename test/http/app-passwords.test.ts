import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { useAppPassword } from '../../src/actions/use-app-password.ts'
import { type Browser, type Enrolled, expectStatus, PASSWORD, startWorld, type World } from '../world.ts'
import { errorOf, isSignedIn, signIn, stranger } from './journeys.ts'

const DAY = 86_400

let world: World
before(async () => {
  world = await startWorld()
})
after(() => world.close())

let made = 0
const somebody = (): Promise<Enrolled> => world.enrolled(`owner${++made}`)

const git = { name: 'git on the laptop', policies: 'two-factor' }

const make = async (browser: Browser, fields: object = git) =>
  (await expectStatus(browser.post('/auth/app-passwords/', fields), 200)).body

const listed = async (browser: Browser) => (await browser.get('/auth/app-passwords/')).body.app_passwords

const use = ({ username }: Pick<Enrolled, 'username'>, password: string) =>
  useAppPassword(world.services, { username, password, policy: 'two-factor', address: '198.51.100.9' })

describe('app passwords of one’s own', () => {
  it('are made, listed without their secret, used and revoked', async () => {
    const user = await somebody()
    const { browser, username } = user
    const body = await make(browser, { ...git, policies: 'two-factor,password', days: '90' })
    const now = world.clock.now()
    assert.match(body.app_password, /^wwp_[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){4}$/)
    assert.equal(body.expires_at, now + 90 * DAY)
    const shown = {
      ...{ id: body.id, name: 'git on the laptop', policies: ['two-factor', 'password'], created_at: now },
      ...{ expires_at: now + 90 * DAY, last_used_at: null, last_used_address: null },
    }
    const reply = await browser.get('/auth/app-passwords/')
    assert.deepEqual(reply.body, {
      app_passwords: [shown],
      policies: ['password', 'two-factor'],
      longest_days: 365,
    })
    assert.ok(!reply.text.includes(body.app_password.slice(4, 9)))

    assert.equal((await use({ username }, body.app_password)).kind, 'allowed')
    assert.deepEqual(await listed(browser), [
      { ...shown, last_used_at: now, last_used_address: '198.51.100.9' },
    ])
    const revoked = await browser.delete(`/auth/app-passwords/${body.id}/`)
    assert.deepEqual([revoked.status, revoked.body], [200, { message: 'Revoked' }])
    assert.deepEqual(errorOf(await browser.delete(`/auth/app-passwords/${body.id}/`)), [404, 'not_found'])
    assert.equal((await use({ username }, body.app_password)).kind, 'refused')
    assert.deepEqual(await listed(browser), [])
  })

  it('are made from a form as well, and last as long as the settings allow', async () => {
    const { browser } = await somebody()
    const reply = await browser.send('/auth/app-passwords', {
      method: 'POST',
      body: new URLSearchParams({ name: ' svn ', policies: 'group-staff', days: '1' }),
    })
    assert.equal(reply.body.expires_at, world.clock.now() + DAY)
    assert.equal((await make(browser)).expires_at, world.clock.now() + 365 * DAY)
    assert.deepEqual(
      (await listed(browser)).map(({ name }: { name: string }) => name),
      ['svn', 'git on the laptop'],
    )
  })

  it('are not made for what is not so', async () => {
    const { browser } = await somebody()
    for (const [fields, code] of [
      [{ ...git, name: '' }, 'invalid_request'],
      [{ ...git, name: 'a\u202eb' }, 'invalid_request'],
      [{ name: 'git' }, 'invalid_request'],
      [{ ...git, policies: '' }, 'no_such_policy'],
      [{ ...git, policies: 'two-factor,two-factor-recent' }, 'no_such_policy'],
      [{ ...git, policies: 'nowhere' }, 'no_such_policy'],
      [{ ...git, policies: '*' }, 'no_such_policy'],
      [{ ...git, policies: 'two-factor password' }, 'no_such_policy'],
      [{ ...git, policies: ['two-factor'] }, 'invalid_request'],
      [{ ...git, days: '0' }, 'lifetime_not_allowed'],
      [{ ...git, days: '366' }, 'lifetime_not_allowed'],
      [{ ...git, days: '-1' }, 'invalid_request'],
      [{ ...git, days: 90 }, 'invalid_request'],
      [{ ...git, expires_at: 1 }, 'invalid_request'],
      [{ ...git, user_id: 'x' }, 'invalid_request'],
      [{ ...git, app_password: 'wwp_00000-00000-00000-00000-00000' }, 'invalid_request'],
    ] as const) {
      const reply = await browser.post('/auth/app-passwords/', fields)
      assert.deepEqual(errorOf(reply), [400, code], JSON.stringify(fields))
    }
    assert.deepEqual(await listed(browser), [])
  })

  it('are twenty at most', async () => {
    const { browser } = await somebody()
    for (let count = 0; count < 20; count++) await make(browser)
    assert.deepEqual(errorOf(await browser.post('/auth/app-passwords/', git)), [
      409,
      'too_many_app_passwords',
    ])
  })

  it('need a fresh proof to be made, and none to be revoked (SEC-AUTH-10)', async () => {
    const { browser } = await somebody()
    const { id } = await make(browser)
    world.clock.advance(300)
    const reply = await browser.post('/auth/app-passwords/', git)
    assert.deepEqual(errorOf(reply), [403, 'fresh_authentication_required'])
    assert.equal((await browser.delete(`/auth/app-passwords/${id}/`)).status, 200)
  })

  it('do not end where the settings say that they need not', async () => {
    const free = await startWorld({ config: { appPasswords: { longestDays: 0 } } })
    try {
      const { browser } = await free.enrolled('alice')
      assert.equal((await make(browser)).expires_at, null)
      assert.equal((await make(browser, { ...git, days: '400' })).expires_at, free.clock.now() + 400 * DAY)
      const tooLong = await browser.post('/auth/app-passwords/', { ...git, days: '401' })
      assert.deepEqual(errorOf(tooLong), [400, 'lifetime_not_allowed'])
    } finally {
      await free.close()
    }
  })

  it('end with a change of the password, unless they are to be kept', async () => {
    for (const [keep, left] of [
      [undefined, 0],
      ['false', 0],
      ['true', 1],
    ] as const) {
      const { browser } = await somebody()
      await make(browser)
      const fields = { current_password: PASSWORD, new_password: 'another horse and battery' }
      const more = keep === undefined ? {} : { keep_app_passwords: keep }
      await expectStatus(browser.post('/auth/password/', { ...fields, ...more }), 200)
      assert.equal((await listed(browser)).length, left, String(keep))
    }
  })
})

describe('an app password of somebody else', () => {
  it('is not revoked and not listed, and answered exactly as one that is not there (SEC-AZ-2)', async () => {
    const [mine, theirs] = [await somebody(), await somebody()]
    const { id, app_password: secret } = await make(theirs.browser)
    const foreign = await mine.browser.delete(`/auth/app-passwords/${id}/`)
    const absent = await mine.browser.delete(`/auth/app-passwords/${'0'.repeat(26)}/`)
    assert.deepEqual([foreign.status, foreign.text], [404, absent.text])
    assert.deepEqual(await listed(mine.browser), [])
    assert.equal((await use(theirs, secret)).kind, 'allowed')
    assert.equal((await use(mine, secret)).kind, 'refused')
    const asAdmin = await mine.browser.delete(`/auth/admin/app-passwords/${id}/`)
    assert.deepEqual(errorOf(asAdmin), [403, 'admin_required'])
  })

  it('is seen without its secret and revoked by an administrator, with a fresh proof (SEC-AZ-6)', async () => {
    const admin = await world.enrolled('admin', { isSuperuser: true })
    const theirs = await somebody()
    const { id, app_password: secret } = await make(theirs.browser)
    const again = await signIn(world, admin)
    const shown = await again.get(`/auth/admin/users/${theirs.id}/`)
    assert.equal(shown.body.app_passwords[0].id, id)
    assert.ok(!shown.text.includes(secret.slice(4, 9)))
    assert.equal((await again.delete(`/auth/admin/app-passwords/${id}/`)).status, 200)
    assert.deepEqual(errorOf(await again.delete(`/auth/admin/app-passwords/${id}/`)), [404, 'not_found'])
    assert.equal((await use(theirs, secret)).kind, 'refused')
    const event = (await world.audit()).findLast(({ event }) => event === 'app-password-revoked')
    assert.equal(event?.user_id, theirs.id)
    const kept = await make(theirs.browser)
    world.clock.advance(300)
    const late = await again.delete(`/auth/admin/app-passwords/${kept.id}/`)
    assert.deepEqual(errorOf(late), [403, 'fresh_authentication_required'])
  })
})

describe('an app password opens neither the portal nor the account nor the API (SEC-AUTH-4)', () => {
  let user: Enrolled
  let secret: string
  before(async () => {
    user = await somebody()
    secret = (await make(user.browser)).app_password
  })

  it('and is an ordinary wrong password wherever one is asked for', async () => {
    const { username, phone } = user
    const code = phone.code()
    for (const password of [secret, secret.replaceAll('-', ''), secret.toLowerCase()]) {
      for (const [path, fields] of [
        ['/auth/login/', { username, password }],
        ['/auth/authenticate/', { username, password, otp: code }],
      ] as const) {
        const browser = stranger(world)
        const reply = await browser.post(path, fields)
        const wrong = await stranger(world).post(path, { ...fields, username: 'nobody' })
        assert.deepEqual([reply.status, reply.text], [401, wrong.text])
        assert.equal(browser.cookies.size, 0)
      }
      await world.services.db.deleteFrom('attempts').execute()
    }
    const refused = (await world.audit()).filter(({ user_id }) => user_id === user.id)
    assert.equal(refused.at(-1)?.event, 'password-refused')
    assert.equal(refused.at(-1)?.fields.reason, 'wrong-password')
  })

  it('nor is it a code', async () => {
    const { username } = user
    const browser = stranger(world)
    await expectStatus(browser.post('/auth/login/', { username, password: PASSWORD }), 200)
    assert.equal((await browser.post('/auth/verify/', { otp: secret })).body.code, 'invalid_otp')
    await world.services.db.deleteFrom('attempts').execute()
  })

  it('nor the current password', async () => {
    const again = await signIn(world, user)
    const fields = { current_password: secret, new_password: 'another horse and battery' }
    assert.deepEqual(errorOf(await again.post('/auth/password/', fields)), [400, 'wrong_password'])
  })

  it('nor a credential of Basic or a bearer at any address of the server', async () => {
    const basic = `Basic ${Buffer.from(`${user.username}:${secret}`).toString('base64')}`
    for (const authorization of [basic, `Bearer ${secret}`]) {
      const browser = stranger(world)
      for (const path of [
        ...['/auth/session/', '/auth/devices/', '/auth/app-passwords/', '/auth/admin/users/'],
        ...['/account', '/account/app-passwords', '/admin', '/login'],
      ]) {
        const reply = await browser.get(path, { authorization })
        const without = await stranger(world).get(path)
        assert.equal(reply.status, without.status, path)
        assert.equal(reply.headers.get('www-authenticate'), null)
      }
      assert.equal(await isSignedIn(browser), false)
    }
  })

  it('nor a cookie', async () => {
    const browser = stranger(world)
    for (const name of ['session', 'login', 'browser'])
      browser.cookies.set(`__Host-watchword-${name}`, secret)
    assert.equal((await browser.get('/auth/session/')).status, 401)
  })

  it('and is in no log and no audit event (SEC-LOG-3)', async () => {
    const log = (await world.services.db.selectFrom('audit_event').select('fields').execute())
      .map(({ fields }) => fields)
      .join()
    for (const group of secret.slice(4).split('-')) assert.ok(!log.includes(group))
    const stored = await world.services.db.selectFrom('app_password').selectAll().execute()
    assert.ok(!JSON.stringify(stored).includes(secret.slice(4, 9)))
  })
})
