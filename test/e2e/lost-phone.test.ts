import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { type Authenticator, makePerson, type Person } from '../support/browser-people.ts'
import {
  assertSignedIn,
  buttonOf,
  enrol,
  keepRecoveryCodes,
  leads,
  send,
  sendPassword,
  signOut,
} from '../support/browser-steps.ts'
import { type BrowserWorld, startBrowserWorld } from '../support/browser-world.ts'

describe('a lost phone', () => {
  let world: BrowserWorld
  before(async () => {
    world = await startBrowserWorld()
  })
  after(() => world?.close())

  for (const javaScriptEnabled of [true, false]) {
    describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript (SEC-WEB-10)', () => {
      let page: Page
      let person: Person
      let codes: string[]
      let newPhone: Authenticator
      before(async () => {
        page = await world.visit({ javaScriptEnabled })
        person = await makePerson(world, javaScriptEnabled ? 'alice' : 'bob')
        await sendPassword(page, person)
        await enrol(page)
        codes = await keepRecoveryCodes(page)
        await signOut(page)
      })

      it('is replaced by a recovery code at the sign-in, which tells how many are left', async () => {
        await sendPassword(page, person)
        await leads(page, () => page.locator('a[href*="with=recovery"]').click())
        await send(page, { otp: codes[3] ?? '' })
        await assertSignedIn(page)
        assert.match(await page.locator('main').innerText(), /\b9\b/)
        world.assertCalm()
      })

      it('makes room for a new authenticator', async () => {
        await leads(page, () => page.locator('main a[href="/account/devices"]').first().click())
        const add = page.locator('form[action="/account/devices/add"]')
        await add.locator('[name="name"]').fill('New phone')
        await leads(page, () => buttonOf(add).click())
        newPhone = await enrol(page)
        assert.match(await page.locator('main').innerText(), /New phone/)
        world.assertCalm()
      })

      it('is taken off the account', async () => {
        const item = page
          .locator('li')
          .filter({ has: page.locator('form[action="/account/devices/remove"]') })
        const old = item.filter({ hasNotText: 'New phone' })
        await old.locator('summary').last().click()
        await leads(page, () => buttonOf(old.locator('form[action="/account/devices/remove"]')).click())
        assert.equal(await item.count(), 1)
        await assertSignedIn(page)
        world.assertCalm()
      })

      it('leaves an account that the new authenticator opens, and the used code does not', async () => {
        await signOut(page)
        await sendPassword(page, person)
        await leads(page, () => page.locator('a[href*="with=recovery"]').click())
        await send(page, { otp: codes[3] ?? '' })
        assert.equal(await page.locator('[name="otp"]').getAttribute('aria-invalid'), 'true')
        await leads(page, () => page.locator('main a[href="/login"]').click())
        await send(page, { otp: newPhone.code() })
        await assertSignedIn(page)
        world.assertCalm()
      })
    })
  }
})
