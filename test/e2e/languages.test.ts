import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { makeEnrolledPerson, makePerson } from '../support/browser-people.ts'
import { enrol, leads, pathOf, send, sendPassword, signIn, signOut } from '../support/browser-steps.ts'
import { type BrowserWorld, startBrowserWorld } from '../support/browser-world.ts'

const languageOf = (page: Page) => page.locator('html').getAttribute('lang')
const switchTo = (page: Page, language: 'de' | 'en') =>
  leads(page, () => page.locator(`button[name="language"][value="${language}"]`).click())

describe('the switch of languages', () => {
  let world: BrowserWorld
  before(async () => {
    world = await startBrowserWorld()
  })
  after(() => world?.close())

  for (const javaScriptEnabled of [true, false]) {
    it(`shows the same page, and holds from then on${javaScriptEnabled ? '' : ', without JavaScript'}`, async () => {
      const alice = await makeEnrolledPerson(world, javaScriptEnabled ? 'alice' : 'anna')
      const page = await world.visit({ javaScriptEnabled })
      await page.goto('/login?return_to=%2Faccount%2Fsessions')
      assert.equal(await languageOf(page), 'en')
      await switchTo(page, 'de')
      assert.equal(await languageOf(page), 'de')
      assert.equal(page.url(), `${world.origin}/login?return_to=%2Faccount%2Fsessions`)
      await signIn(page, alice)
      assert.equal(await languageOf(page), 'de')
      await signOut(page)
      assert.equal(await languageOf(page), 'de')
      await switchTo(page, 'en')
      assert.equal(await languageOf(page), 'en')
      world.assertCalm()
    })
  }

  it('leads to a page also from one that answered a form', async () => {
    const page = await world.visit()
    await page.goto('/login')
    await send(page, { username: 'nobody', password: 'wrong' })
    await switchTo(page, 'de')
    assert.equal(pathOf(page), '/login')
    assert.equal(await page.locator('[name="password"]').count(), 1)
    world.assertCalm()
  })

  it('keeps the step of the sign-in, and the QR code', async () => {
    const page = await world.visit()
    await sendPassword(page, await makePerson(world, 'bob'))
    const secret = await page.locator('#secret').innerText()
    await switchTo(page, 'de')
    assert.equal(await page.locator('#secret').innerText(), secret)
    world.assertCalm()
  })

  it('is not there where it would lose recovery codes that are shown only once', async () => {
    const page = await world.visit()
    await sendPassword(page, await makePerson(world, 'carol'))
    await enrol(page)
    assert.equal(await page.locator('#recovery-codes li').count(), 10)
    assert.equal(await page.locator('button[name="language"]').count(), 0)
    world.assertCalm()
  })
})
