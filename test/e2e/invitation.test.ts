import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import {
  type Authenticator,
  holdSession,
  makeEnrolledPerson,
  type Person,
} from '../support/browser-people.ts'
import {
  assertSignedIn,
  enrol,
  isSignedIn,
  keepRecoveryCodes,
  pathOf,
  send,
  signIn,
  signOut,
} from '../support/browser-steps.ts'
import { type BrowserWorld, startBrowserWorld } from '../support/browser-world.ts'
import { PASSWORD } from '../world.ts'

/** Opens a one-time link; without script its code has to be pasted. */
async function follow(page: Page, link: string, fields: Readonly<Record<string, string>>): Promise<void> {
  await page.goto(link)
  const code = new URL(link).hash.slice(1)
  const isHidden = await page.locator('[name="code"]').isHidden()
  await send(page, isHidden ? fields : { ...fields, code })
}

describe('an invitation', () => {
  let world: BrowserWorld
  let admin: Person
  before(async () => {
    world = await startBrowserWorld()
    admin = await makeEnrolledPerson(world, 'alice', { isSuperuser: true })
  })
  after(() => world?.close())

  for (const javaScriptEnabled of [true, false]) {
    const username = javaScriptEnabled ? 'bob' : 'carol'

    describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript (SEC-WEB-10)', () => {
      let page: Page
      let link = ''
      let phone: Authenticator
      before(async () => {
        page = await world.visit({ javaScriptEnabled })
      })

      it('is made by an administrator, who learns no password', async () => {
        const desk = await world.visit({ javaScriptEnabled })
        await holdSession(world, desk, admin)
        await desk.goto('/admin/users/new')
        await send(desk, { username, name: 'Somebody New' })
        link = (await desk.locator('#link').innerText()).trim()
        assert.ok(link.startsWith(`${world.origin}/invite#`))
        assert.equal(await desk.locator('input[type="password"]').count(), 0)
        world.assertCalm()
      })

      it('leads over a password of one’s own to an authenticator and recovery codes', async () => {
        await follow(page, link, { new_password: PASSWORD })
        phone = await enrol(page)
        const codes = await keepRecoveryCodes(page)
        assert.equal(new Set(codes).size, 10)
        await assertSignedIn(page)
        assert.equal(pathOf(page), '/account')
        assert.ok(!page.url().includes('#'))
        world.assertCalm()
      })

      it('lets them sign out, and shows nothing of theirs when they go back', async () => {
        await signOut(page)
        assert.equal(await isSignedIn(page), false)
        assert.equal(pathOf(page), '/login')
        await page.goBack()
        assert.equal(pathOf(page), '/login')
        await page.goto('/account')
        assert.equal(pathOf(page), '/login')
        world.assertCalm()
      })

      it('lets them sign in again with a code of that authenticator', async () => {
        await signIn(page, { username, password: PASSWORD, phone })
        world.assertCalm()
      })

      it('works no second time', async () => {
        const stranger = await world.visit({ javaScriptEnabled })
        await follow(stranger, link, { new_password: 'another password of mine' })
        assert.equal(pathOf(stranger), '/invite')
        assert.ok(await stranger.locator('[role="alert"]').isVisible())
        assert.equal(await isSignedIn(stranger), false)
        world.assertCalm()
      })
    })
  }
})
