import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { authorizeRequest } from '../../src/actions/authorize-request.ts'
import { fillIn, locationOf, readable, submit } from '../support/forms.ts'
import { type Browser, type Enrolled, PASSWORD, startWorld, type World } from '../world.ts'
import { errorOf, signIn, stranger } from './journeys.ts'

const PAGE = '/account/sessions'
const HOST = 'https://dav.example.net'
const ADDRESS = '198.51.100.9'

let world: World
before(async () => {
  const policy = {
    groups: [],
    users: [],
    networks: [],
    assertion: false,
    lease: 0,
    proof: 'two-factor',
  } as const
  const dav = { ...policy, within: undefined, access: ['password-code'], codeWindow: 600 } as const
  world = await startWorld({ config: { policies: { dav } } })
})
after(() => world.close())

let made = 0
const somebody = (): Promise<Enrolled> => world.enrolled(`owner${++made}`)

/** A program of a person that has just come in; it comes again by `use`, and is let in or not. */
async function program({ username, phone }: Pick<Enrolled, 'username' | 'phone'>) {
  const credentials = { username, password: `${PASSWORD}${phone.code()}` }
  const asked = { policy: 'dav', host: HOST, address: ADDRESS, siteToken: undefined, credentials }
  const use = async () => (await authorizeRequest(world.services, asked)).kind === 'allow'
  assert.equal(await use(), true)
  return { credentials, use }
}

const listed = async (browser: Browser) => (await browser.get('/auth/code-windows/')).body.code_windows

describe('what a password and code in one field opens', () => {
  it('is listed to its owner with place, address and times, and ended without a fresh proof', async () => {
    const person = await somebody()
    const { browser } = person
    assert.deepEqual(await listed(browser), [])
    const { use } = await program(person)
    const now = world.clock.now()
    const [{ id, ...shown }, ...others] = await listed(browser)
    assert.deepEqual(others, [])
    assert.deepEqual(shown, {
      ...{ policy: 'dav', host: HOST, address: ADDRESS },
      ...{ created_at: now, expires_at: now + 600, last_used_at: now },
    })
    world.clock.advance(300)
    assert.equal(await use(), true)
    const ended = await browser.delete(`/auth/code-windows/${id}/`)
    assert.deepEqual([ended.status, ended.body], [200, { message: 'Ended' }])
    assert.deepEqual(errorOf(await browser.delete(`/auth/code-windows/${id}/`)), [404, 'not_found'])
    assert.equal(await use(), false)
    assert.deepEqual(await listed(browser), [])
  })

  it('is no more when its time is over', async () => {
    const person = await somebody()
    await program(person)
    world.clock.advance(600)
    assert.deepEqual(await listed(person.browser), [])
    assert.ok(!(await person.browser.get(PAGE)).text.includes(HOST))
  })

  it('of somebody else is like one that is not there (SEC-AZ-2)', async () => {
    const [mine, theirs] = [await somebody(), await somebody()]
    const { use } = await program(theirs)
    const [{ id }] = await listed(theirs.browser)
    const foreign = await mine.browser.delete(`/auth/code-windows/${id}/`)
    const absent = await mine.browser.delete(`/auth/code-windows/${'0'.repeat(26)}/`)
    assert.deepEqual([foreign.status, foreign.text], [404, absent.text])
    const asAdmin = await mine.browser.delete(`/auth/admin/code-windows/${id}/`)
    assert.deepEqual(errorOf(asAdmin), [403, 'admin_required'])
    const there = await fillIn(mine.browser, PAGE, '/account/code-windows/end', { id })
    const nowhere = await fillIn(mine.browser, PAGE, '/account/code-windows/end', { id: '0'.repeat(26) })
    assert.deepEqual([there.status, there.text], [404, nowhere.text])
    assert.equal(await use(), true)
  })

  it('stands on the page of sessions in both languages, where one button ends it', async () => {
    const person = await somebody()
    const { browser } = person
    const { use } = await program(person)
    const page = await browser.get(PAGE)
    assert.match(
      readable(page),
      /Programs with password and code .* https:\/\/dav\.example\.net Opens dav Address 198\.51\.100\.9 Begun .* Ends \d.* Last used \d/,
    )
    assert.match(
      readable(await browser.get(PAGE, { 'accept-language': 'de' })),
      /Programme mit Passwort und Code/,
    )
    assert.ok(!page.text.includes(PASSWORD))
    const [{ id }] = await listed(browser)
    const reply = await submit(browser, page, '/account/code-windows/end', { id })
    assert.equal(locationOf(reply), `${PAGE}?notice=code-window-ended`)
    const after = await browser.get(`${PAGE}?notice=code-window-ended`)
    assert.match(readable(after), /The program is refused until it brings another code/)
    assert.ok(!after.text.includes(HOST))
    assert.equal(await use(), false)
    assert.match(readable(await browser.get('/account/activity')), /The way in of a program to dav was ended/)
  })

  it('ends with all other sessions, also where there is no other session', async () => {
    const person = await somebody()
    const { use } = await program(person)
    world.clock.advance(30)
    const reply = await fillIn(person.browser, PAGE, `${PAGE}/end-others`)
    assert.equal(locationOf(reply), `${PAGE}?notice=others-ended`)
    assert.equal(await use(), false)
  })

  it('is seen and ended by an administrator, with a fresh proof (SEC-AZ-6)', async () => {
    const admin = await world.enrolled('admin', { isSuperuser: true })
    const theirs = await somebody()
    const first = await program(theirs)
    const again = await signIn(world, admin)
    const shown = await again.get(`/auth/admin/users/${theirs.id}/`)
    const [{ id, host }] = shown.body.code_windows
    assert.equal(host, HOST)
    assert.equal((await again.delete(`/auth/admin/code-windows/${id}/`)).status, 200)
    assert.deepEqual(errorOf(await again.delete(`/auth/admin/code-windows/${id}/`)), [404, 'not_found'])
    assert.equal(await first.use(), false)

    const second = await program(theirs)
    const page = await again.get(`/admin/users/${theirs.id}`)
    assert.match(
      readable(page),
      /Programs with password and code .* https:\/\/dav\.example\.net dav 198\.51\.100\.9/,
    )
    const [, window = ''] = /name="code_window" value="([^"]+)"/.exec(page.text) ?? []
    const path = `/admin/users/${theirs.id}/code-windows/end`
    const elsewhere = await submit(again, page, `/admin/users/${admin.id}/code-windows/end`, {
      code_window: window,
    })
    assert.equal(locationOf(elsewhere), `/admin/users/${admin.id}?notice=gone`)
    assert.equal(await second.use(), true)
    const reply = await submit(again, page, path, { code_window: window })
    assert.equal(locationOf(reply), `/admin/users/${theirs.id}?notice=code-window-ended`)
    assert.equal(await second.use(), false)

    world.clock.advance(30)
    const third = await program(theirs)
    const sessions = await again.delete(`/auth/admin/users/${theirs.id}/sessions/`)
    assert.equal(sessions.status, 200)
    assert.equal(await third.use(), false)

    world.clock.advance(30)
    const fourth = await program(theirs)
    const [kept] = (await again.get(`/auth/admin/users/${theirs.id}/`)).body.code_windows
    world.clock.advance(300)
    const late = await again.delete(`/auth/admin/code-windows/${kept.id}/`)
    assert.deepEqual(errorOf(late), [403, 'fresh_authentication_required'])
    assert.equal(await fourth.use(), true)
  })

  it('is opened by nothing but a protected place: anywhere else the text is a wrong password (SEC-AUTH-4)', async () => {
    const person = await somebody()
    const { credentials } = await program(person)
    const { username, password } = credentials
    for (const [path, fields] of [
      ['/auth/login/', { username, password }],
      ['/auth/authenticate/', { username, password, otp: person.phone.code() }],
    ] as const) {
      const reply = await stranger(world).post(path, fields)
      assert.deepEqual(errorOf(reply), [401, 'invalid_credentials'])
    }
    const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
    for (const path of ['/auth/session/', '/auth/code-windows/', '/auth/admin/users/']) {
      const reply = await stranger(world).get(path, { authorization: basic })
      assert.equal(reply.status, 401)
    }
  })
})
