import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { startSession } from '../../src/actions/advance-login.ts'
import { record } from '../../src/actions/caller.ts'
import { changeGroup } from '../../src/actions/change-group.ts'
import { createUser } from '../../src/actions/create-user.ts'
import { label } from '../../src/domain/label.ts'
import * as otpDevices from '../../src/store/otp-devices.ts'
import * as sessions from '../../src/store/sessions.ts'
import { ownDevices } from '../../src/store/views/own-account.ts'
import {
  giveAuthenticator,
  holdSession,
  makeEnrolledPerson,
  makePerson,
  type Person,
} from '../support/browser-people.ts'
import { skeletonOf, textsOf } from '../support/browser-skeleton.ts'
import { leads } from '../support/browser-steps.ts'
import { type BrowserWorld, startBrowserWorld } from '../support/browser-world.ts'
import { HOSTILE_COUNT, hostileSettings, hostileTexts, watchForAlarm } from '../support/hostile-text.ts'

/** Harmless text of the same kind, for what the page looks like when nothing is wrong. */
const plain = (index: number) => `Harmless ${index}`

/** Devices that a person may have, and so names that one page shows. */
const DEVICES = 5

describe('hostile text that is kept (FT-XSS-1, SEC-WEB-6)', () => {
  let world: BrowserWorld
  let admin: Person
  const texts = hostileTexts(HOSTILE_COUNT, 64)
  const labels = texts.map((text) => label(text, 64)).filter((text) => text !== undefined)

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

  it('is never a username or a group', async () => {
    const { services } = world
    const by = { operator: 'test' }
    for (const text of texts.filter((each) => /[<>"'&`\s]/.test(each))) {
      assert.equal((await changeGroup(services, { kind: 'create', group: text }, by)).kind, 'unsuitable-name')
      const user = { displayName: '', isSuperuser: false, password: undefined, mustChangePassword: false }
      const made = await createUser(services, { ...user, username: text, groups: [] }, by)
      assert.equal(made.kind, 'unsuitable-username')
    }
  })

  it('is shown as it is where it is somebody’s name', async () => {
    const page = await visit()
    const see = async (username: string, displayName: string): Promise<string> => {
      const person = await makePerson(world, username, { displayName, password: undefined })
      await holdSession(world, page, person)
      await page.goto('/account')
      assert.ok((await textsOf(page)).includes(displayName), displayName)
      return skeletonOf(page)
    }
    const expected = await see('harmless', plain(0))
    for (const [index, text] of labels.entries()) {
      assert.equal(await see(`user${index}`, text), expected, text)
    }
    world.assertCalm()
  })

  it('is shown as it is in the list of users', async () => {
    const page = await visit(admin)
    const expected = labels.length
    const seen = new Set<string>()
    await page.goto('/admin/users')
    for (;;) {
      const text = await textsOf(page)
      for (const each of labels) if (text.includes(each)) seen.add(each)
      assert.equal(await page.locator('td :not(a, time, span.tag)').count(), 0)
      const next = page.locator('a[rel="next"]')
      if ((await next.count()) === 0) break
      await leads(page, () => next.click())
    }
    assert.equal(seen.size, expected)
    world.assertCalm()
  })

  it('is shown as it is where it is the name of an authenticator', async () => {
    const bob = await makeEnrolledPerson(world, 'bob')
    for (let count = 1; count < DEVICES; count++) await giveAuthenticator(world, 'bob', plain(count))
    const ids = (await ownDevices(world.services.db, bob.id)).map(({ id }) => id)
    const own = await visit(bob)
    const desk = await visit(admin)
    const pages: readonly (readonly [Page, string])[] = [
      [own, '/account'],
      [own, '/account/devices'],
      [desk, `/admin/users/${bob.id}`],
    ]
    const seeAll = async (names: readonly string[]): Promise<string[]> => {
      for (const [index, name] of names.entries()) {
        await otpDevices.rename(world.services.db, bob.id, ids[index] ?? '', name)
      }
      const skeletons: string[] = []
      for (const [page, path] of pages) {
        await page.goto(path)
        const text = await textsOf(page)
        for (const name of names) assert.ok(text.includes(name), `${path}: ${name}`)
        skeletons.push(await skeletonOf(page))
      }
      return skeletons
    }
    const expected = await seeAll(ids.map((_, index) => plain(index)))
    for (let from = 0; from + DEVICES <= labels.length; from += DEVICES) {
      const names = labels.slice(from, from + DEVICES)
      assert.deepEqual(await seeAll(names), expected, names.join('\n'))
    }
    world.assertCalm()
  })

  it('is typed into the form for it, and shown as it is', async () => {
    const carol = await makeEnrolledPerson(world, 'carol')
    const page = await visit(carol)
    const form = page.locator('form[action="/account/devices/rename"]')
    for (const text of labels.slice(0, 10)) {
      await page.goto('/account/devices')
      await page.locator('summary').first().click()
      await form.locator('[name="name"]').fill(text)
      await leads(page, () => form.locator('button').click())
      assert.equal(await page.locator('main li h2').innerText(), text)
    }
    world.assertCalm()
  })

  it('is harmless where browsers tell their name', async () => {
    const dora = await makeEnrolledPerson(world, 'dora')
    const page = await visit(dora)
    const desk = await visit(admin)
    const { services } = world
    const now = services.now()
    const browseAs = async (userAgents: readonly string[]): Promise<void> => {
      await sessions.removeAll(services.db, dora.id)
      await holdSession(world, page, dora)
      for (const userAgent of userAgents) {
        const caller = { address: '127.0.0.1', userAgent, requestId: 'test' }
        await services.db
          .transaction()
          .execute((tx) => startSession(tx, services, dora, { amr: ['pwd'], authTime: now, caller, now }))
        await record(
          services,
          services.db,
          { now, by: caller, userId: dora.id },
          { event: 'password-accepted' },
        )
      }
    }
    const see = async (): Promise<string[]> => {
      const skeletons: string[] = []
      for (const [each, path] of [
        [page, '/account/sessions'],
        [page, '/account/activity'],
        [page, '/account'],
        [desk, `/admin/users/${dora.id}`],
        [desk, '/admin/audit?event=password-accepted'],
      ] as const) {
        await each.goto(path)
        skeletons.push(await skeletonOf(each))
      }
      return skeletons
    }
    // The first events fill the first part of each list.
    await browseAs(texts.map((_, index) => plain(index)))
    const expected = await see()
    await browseAs(texts)
    assert.deepEqual(await see(), expected)
    world.assertCalm()
  })

  it('is harmless where the audit log tells of operators and authenticators', async () => {
    const page = await visit(admin)
    const { services } = world
    const event = 'device-renamed' as const
    const tell = async (values: readonly string[]): Promise<void> => {
      for (const text of values) {
        const context = { now: services.now(), by: { operator: text }, userId: admin.id }
        await record(services, services.db, context, { event, deviceId: 'x', name: text })
      }
    }
    const see = async (): Promise<string[]> => {
      const skeletons: string[] = []
      for (const path of [
        `/admin/audit?event=${event}`,
        '/admin/audit',
        '/account/activity',
        `/admin/users/${admin.id}`,
      ]) {
        await page.goto(path)
        skeletons.push(await skeletonOf(page))
      }
      return skeletons
    }
    await tell(labels.map((_, index) => plain(index)))
    const expected = await see()
    for (let from = 0; from < labels.length; from += 25) {
      await tell(labels.slice(from, from + 25))
      assert.deepEqual(await see(), expected)
    }
    world.assertCalm()
  })
})
