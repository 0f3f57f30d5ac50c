import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { useAppPassword } from '../../src/actions/use-app-password.ts'
import { createApp } from '../../src/http/app.ts'
import { createEdge } from '../../src/http/create-edge.ts'
import { fillIn, locationOf, readable, submit } from '../support/forms.ts'
import { type Browser, type Enrolled, PASSWORD, type Reply, startWorld, type World } from '../world.ts'
import { SESSION, signIn } from './journeys.ts'

const PAGE = '/account/app-passwords'
const MAKE = '/account/app-passwords/make'

let world: World
before(async () => {
  world = await startWorld()
})
after(() => world.close())

let made = 0
const somebody = (): Promise<Enrolled> => world.enrolled(`owner${++made}`)

const git = { name: 'git on the laptop', days: '90', 'policy-two-factor': 'yes' }

const secretIn = ({ text }: Pick<Reply, 'text'>): string =>
  /<code id="app-password">(wwp_[^<]+)<\/code>/.exec(text)?.[1] ?? ''

const listed = async (browser: Browser) => (await browser.get('/auth/app-passwords/')).body.app_passwords

describe('the page of app passwords', () => {
  it('stands among the others and says so when there is none', async () => {
    const { browser } = await somebody()
    const page = await browser.get(PAGE)
    assert.match(page.text, /<a href="\/account\/app-passwords" aria-current="page">App passwords<\/a>/)
    assert.match(readable(page), /You have no app password\./)
    assert.match((await browser.get('/account')).text, /href="\/account\/app-passwords"/)
    assert.match(readable(await browser.get(PAGE, { 'accept-language': 'de' })), /App-Passwort erzeugen/)
  })

  it('makes one and shows it this once, with a button to copy it', async () => {
    const { browser, username } = await somebody()
    const shown = await fillIn(browser, PAGE, MAKE, git)
    const secret = secretIn(shown)
    assert.equal(shown.status, 200)
    assert.match(shown.text, /data-copy="#app-password"/)
    assert.match(readable(shown), new RegExp(`with the username ${username}`))
    const asked = { username, password: secret, policy: 'two-factor', address: '198.51.100.9' }
    assert.equal((await useAppPassword(world.services, asked)).kind, 'allowed')

    const page = await browser.get(PAGE)
    const text = readable(page)
    assert.match(
      text,
      /git on the laptop Opens two-factor Made .* Ends \d.* Last used \d.* · 198\.51\.100\.9/,
    )
    assert.ok(!page.text.includes(secret.slice(4, 9)))
  })

  it('offers what the person may enter, and takes what was typed back where something is wrong', async () => {
    const { browser } = await somebody()
    const page = await browser.get(PAGE)
    const offered = [...page.text.matchAll(/name="policy-([^"]+)"/g)].map(([, name]) => name)
    assert.deepEqual(offered, ['password', 'two-factor'])
    for (const [fields, problem] of [
      [{ ...git, name: ' ' }, /A name has 1 to 64 characters/],
      [{ name: 'x', days: '90' }, /Choose at least one/],
      [{ ...git, 'policy-nowhere': 'yes' }, /Choose at least one/],
      [{ ...git, days: '366' }, /a whole number from 1 to 365/],
      [{ ...git, days: '1e1' }, /a whole number from 1 to 365/],
      [{ ...git, days: '0' }, /a whole number from 1 to 365/],
    ] as const) {
      const reply = await fillIn(browser, PAGE, MAKE, fields)
      assert.equal(reply.status, 422)
      assert.match(readable(reply), problem)
      assert.match(reply.text, new RegExp(`name="days" type="number" value="${fields.days}"`))
    }
    const again = await fillIn(browser, PAGE, MAKE, { ...git, days: '366' })
    assert.match(again.text, /name="policy-two-factor" value="yes" checked/)
    assert.match(again.text, /name="policy-password" value="yes">/)
    assert.deepEqual(await listed(browser), [])
  })

  it('takes no field that it does not have (SEC-AZ-3)', async () => {
    const { browser } = await somebody()
    for (const more of [{ user_id: 'x' }, { policies: 'two-factor' }, { 'policy-two-factor': 'no' }]) {
      const reply = await fillIn(browser, PAGE, MAKE, { ...git, ...more } as Record<string, string>)
      assert.equal(reply.status, 400)
    }
  })

  it('revokes one, without a fresh proof', async () => {
    const { browser } = await somebody()
    await fillIn(browser, PAGE, MAKE, git)
    world.clock.advance(300)
    const [{ id }] = await listed(browser)
    const reply = await fillIn(browser, PAGE, `${PAGE}/revoke`, { id })
    assert.equal(locationOf(reply), `${PAGE}?notice=app-password-revoked`)
    assert.match(readable(await browser.get(`${PAGE}?notice=app-password-revoked`)), /was revoked/)
    assert.deepEqual(await listed(browser), [])
  })

  it('makes one with a fresh proof only, which leads back (SEC-AUTH-10)', async () => {
    const { browser } = await somebody()
    world.clock.advance(300)
    const reply = await fillIn(browser, PAGE, MAKE, git)
    assert.equal(locationOf(reply), '/confirm?return_to=%2Faccount%2Fapp-passwords')
  })

  it('treats one of somebody else as one that is not there (SEC-AZ-2)', async () => {
    const [mine, theirs] = [await somebody(), await somebody()]
    await fillIn(theirs.browser, PAGE, MAKE, git)
    const [{ id }] = await listed(theirs.browser)
    const there = await fillIn(mine.browser, PAGE, `${PAGE}/revoke`, { id })
    const nowhere = await fillIn(mine.browser, PAGE, `${PAGE}/revoke`, { id: '0'.repeat(26) })
    assert.deepEqual([there.status, there.text], [404, nowhere.text])
    assert.equal((await listed(theirs.browser)).length, 1)
  })

  it('marks one that has ended, and says when there are too many', async () => {
    const { browser, username, phone } = await somebody()
    await fillIn(browser, PAGE, MAKE, { ...git, days: '1' })
    const { db } = world.services
    await db.updateTable('app_password').set({ expires_at: world.clock.now() }).execute()
    const again = await signIn(world, { username, phone }, browser)
    assert.match(readable(await again.get(PAGE)), /git on the laptop Ended/)
    for (let count = 1; count < 20; count++) await fillIn(again, PAGE, MAKE, git)
    const reply = await fillIn(again, PAGE, MAKE, git)
    assert.equal(reply.status, 422)
    assert.match(readable(reply), /You have 20 app passwords/)
  })

  it('shows a hostile name as text', async () => {
    const { browser } = await somebody()
    const name = '<script>alert(1)</script>'
    await fillIn(browser, PAGE, MAKE, { ...git, name })
    assert.ok(!(await browser.get(PAGE)).text.includes(name))
    assert.ok(readable(await browser.get(PAGE)).includes(name))
  })

  it('hides itself where no policy takes app passwords, and still lets one revoke', async () => {
    const { browser } = await somebody()
    await fillIn(browser, PAGE, MAKE, git)
    const { services, config, edge } = world
    const none = { ...services, policy: { ...services.policy, accessPolicies: [] } }
    const app = createApp(createEdge(none, config, edge))
    const cookie = `${SESSION}=${browser.cookies.get(SESSION)}`
    const open = async (path: string) => {
      const peer = { kind: 'tcp', address: '203.0.113.7' }
      const response = await app.request(`https://auth.example.com${path}`, { headers: { cookie } }, { peer })
      return response.text()
    }
    assert.ok(!(await open('/account')).includes(PAGE))
    const page = await open(PAGE)
    assert.match(page, /No place that you may enter takes app passwords/)
    assert.match(page, /action="\/account\/app-passwords\/revoke"/)
  })
})

describe('a change of the password', () => {
  it('asks about app passwords where there are any, and ends them unless told otherwise', async () => {
    for (const [keep, left] of [
      [{}, 0],
      [{ keep_app_passwords: 'yes' }, 1],
    ] as const) {
      const { browser } = await somebody()
      assert.ok(!(await browser.get('/account/password')).text.includes('keep_app_passwords'))
      await fillIn(browser, PAGE, MAKE, git)
      const page = await browser.get('/account/password')
      assert.match(readable(page), /Keep my app passwords/)
      const fields = { current_password: PASSWORD, new_password: 'another horse and battery', ...keep }
      const reply = await submit(browser, page, '/account/password', fields)
      assert.equal(locationOf(reply), '/account?notice=password-changed')
      assert.equal((await listed(browser)).length, left)
    }
  })
})

describe('the page of a user, for administrators', () => {
  it('lists app passwords without secrets and revokes them, each under its own user (SEC-AZ-2)', async () => {
    const admin = await world.enrolled('admin', { isSuperuser: true })
    const [theirs, other] = [await somebody(), await somebody()]
    const secret = secretIn(await fillIn(theirs.browser, PAGE, MAKE, git))
    const [{ id }] = await listed(theirs.browser)
    const browser = await signIn(world, admin)
    const path = `/admin/users/${theirs.id}`
    const page = await browser.get(path)
    assert.match(readable(page), /App passwords .* git on the laptop two-factor/)
    assert.ok(!page.text.includes(secret.slice(4, 9)))
    const elsewhere = `/admin/users/${other.id}/app-passwords/revoke`
    const gone = await submit(browser, page, elsewhere, { app_password: id })
    assert.equal(locationOf(gone), `/admin/users/${other.id}?notice=gone`)
    const reply = await submit(browser, page, `${path}/app-passwords/revoke`, { app_password: id })
    assert.equal(locationOf(reply), `${path}?notice=app-password-revoked`)
    assert.match(readable(await browser.get(`${path}?notice=app-password-revoked`)), /^.*Revoked\. Whatever/)
    assert.deepEqual(await listed(theirs.browser), [])
  })
})
