import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { holdSession, makeEnrolledPerson, type Person } from '../support/browser-people.ts'
import { skeletonOf } from '../support/browser-skeleton.ts'
import { send } from '../support/browser-steps.ts'
import { type BrowserWorld, startBrowserWorld } from '../support/browser-world.ts'
import { HOSTILE_COUNT, hostileSettings, hostileTexts, watchForAlarm } from '../support/hostile-text.ts'

describe('hostile text that comes back (FT-XSS-1, SEC-WEB-6)', () => {
  let world: BrowserWorld
  let admin: Person
  const texts = hostileTexts(HOSTILE_COUNT, 64)

  before(async () => {
    world = await startBrowserWorld(hostileSettings)
    admin = await makeEnrolledPerson(world, 'alice', { isSuperuser: true })
  })
  after(() => world?.close())

  /** A browser that tells of every script that should not have run. */
  async function visit(person?: Person): Promise<Page> {
    const page = await world.visit()
    await watchForAlarm(page)
    if (person !== undefined) await holdSession(world, page, person)
    return page
  }

  /** Opens the page once for each value: it has to look as it does with a harmless one. */
  async function assertReflects(
    page: Page,
    addressOf: (value: string) => string,
    values: readonly string[] = texts,
  ): Promise<void> {
    await page.goto(addressOf('harmless'))
    const expected = await skeletonOf(page)
    for (const text of values) {
      await page.goto(addressOf(encodeURIComponent(text)))
      assert.equal(await skeletonOf(page), expected, text)
    }
    world.assertCalm()
  }

  /** Sends the form once for each value; on its answer the value stands in its field. */
  async function assertComesBack(
    page: Page,
    path: string,
    fieldsOf: (value: string) => Readonly<Record<string, string>>,
  ): Promise<void> {
    let expected: string | undefined
    for (const text of ['not harmless, not a name', ...texts.filter((_, index) => index % 8 === 0)]) {
      await page.goto(path)
      const fields = fieldsOf(text)
      await send(page, fields)
      expected ??= await skeletonOf(page)
      assert.equal(await skeletonOf(page), expected, text)
      const [[name = '', typed = ''] = []] = Object.entries(fields)
      assert.equal(await page.locator(`[name="${name}"]`).inputValue(), typed)
    }
    world.assertCalm()
  }

  describe('of an address', () => {
    it('does nothing on the page for signing in', async () => {
      const page = await visit()
      // With an `x` in front it is no path of ours, and with `/x` it is one, which the page has to carry along.
      await assertReflects(page, (value) => `/login?return_to=x${value}&with=${value}&signed_out=${value}`)
      const paths = texts.filter((text) => !/[\s\\]/.test(text))
      await assertReflects(page, (value) => `/login?return_to=%2Fx${value}`, paths)
    })

    it('does nothing on a page that is not there', async () => {
      // What has a slash in it Apache answers itself.
      await assertReflects(await visit(), (value) => `/nothing/${value.replaceAll('%2F', '-')}`)
    })

    it('does nothing in the search for users', async () => {
      const page = await visit(admin)
      await assertReflects(page, (value) => `/admin/users?search=x${value}&filter=${value}&group=x${value}`)
    })

    it('does nothing in the search of the audit log', async () => {
      const page = await visit(admin)
      const all = (value: string) => `event=${value}&address=x${value}&from=${value}&to=${value}`
      await assertReflects(page, (value) => `/admin/audit?${all(value)}`)
    })

    it('does nothing in the place of an identifier or a notice', async () => {
      const page = await visit(admin)
      await assertReflects(page, (value) => `/admin/users/${admin.id}?notice=${value}`)
      await assertReflects(page, (value) => `/account/devices?notice=${value}`)
    })
  })

  describe('of a form', () => {
    it('comes back as it was typed when it is no username', async () => {
      await assertComesBack(await visit(), '/login', (username) => ({ username, password: 'x' }))
    })

    it('comes back as it was typed when it is no name for a new user', async () => {
      const page = await visit(admin)
      await assertComesBack(page, '/admin/users/new', (value) => ({
        username: `${value} ?`.slice(-64),
        name: value,
      }))
    })

    it('comes back as it was typed when it is no name for a group', async () => {
      await assertComesBack(await visit(admin), '/admin/groups', (group) => ({ group }))
    })
  })
})
