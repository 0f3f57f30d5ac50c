import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { holdSession, makeEnrolledPerson, type Person } from '../support/browser-people.ts'
import { buttonOf, isSignedIn, leads, pathOf, send } from '../support/browser-steps.ts'
import { type BrowserWorld, startBrowserWorld } from '../support/browser-world.ts'

const PHONE = 'Mozilla/5.0 (Android 16; Mobile; rv:150.0) Gecko/150.0 Firefox/150.0'

describe('somebody signed in in several browsers', () => {
  let world: BrowserWorld
  before(async () => {
    world = await startBrowserWorld()
  })
  after(() => world?.close())

  for (const javaScriptEnabled of [true, false]) {
    describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript (SEC-WEB-10)', () => {
      let person: Person
      let here: Page
      let phone: Page
      let tablet: Page
      before(async () => {
        person = await makeEnrolledPerson(world, javaScriptEnabled ? 'alice' : 'bob')
        here = await world.visit({ javaScriptEnabled })
        phone = await world.visit({ javaScriptEnabled })
        tablet = await world.visit({ javaScriptEnabled })
        await holdSession(world, tablet, person)
        await holdSession(world, phone, person, { userAgent: PHONE })
        await holdSession(world, here, person)
      })

      it('sees them all, and which one this is', async () => {
        await here.goto('/account/sessions')
        assert.equal(await here.locator('main .items > li').count(), 3)
        assert.equal(await here.locator('main .items .tag').count(), 1)
        assert.match(await here.locator('main').innerText(), /Firefox/)
        world.assertCalm()
      })

      it('ends one, whose next click leads to the sign-in and back', async () => {
        await phone.goto('/account/password')
        const item = here.locator('main .items > li').filter({ hasText: 'Firefox' })
        await leads(here, () => buttonOf(item.locator('form')).click())
        assert.equal(await here.locator('main .items > li').count(), 2)
        await phone.goto('/account/devices')
        assert.equal(pathOf(phone), '/login')
        assert.equal(new URL(phone.url()).searchParams.get('return_to'), '/account/devices')
        assert.equal(await isSignedIn(tablet), true)
        world.assertCalm()
      })

      it('ends all others at once', async () => {
        const form = here.locator('form[action="/account/sessions/end-others"]')
        await leads(here, () => buttonOf(form).click())
        assert.equal(await isSignedIn(tablet), false)
        assert.equal(await isSignedIn(here), true)
        world.assertCalm()
      })

      it('changes the password, and stays signed in here alone', async () => {
        await holdSession(world, tablet, person)
        await here.goto('/account/password')
        await send(here, { current_password: person.password, new_password: 'a wholly different phrase' })
        assert.equal(await here.locator('[aria-invalid="true"], [role="alert"]').count(), 0)
        assert.equal(await isSignedIn(tablet), false)
        assert.equal(await isSignedIn(here), true)
        world.assertCalm()
      })
    })
  }

  it('is asked for a fresh proof after a while, and comes back to what they were doing', async () => {
    const carol = await makeEnrolledPerson(world, 'carol')
    const page = await world.visit()
    await holdSession(world, page, carol, { secondsAgo: 1800 })
    await page.goto('/account/recovery-codes')
    await leads(page, () => buttonOf(page.locator('form[action="/account/recovery-codes"]')).click())
    assert.equal(pathOf(page), '/confirm')
    await send(page, { password: carol.password, otp: carol.phone.code() })
    assert.equal(pathOf(page), '/account/recovery-codes')
    await leads(page, () => buttonOf(page.locator('form[action="/account/recovery-codes"]')).click())
    assert.equal(await page.locator('#recovery-codes li').count(), 10)
    world.assertCalm()
  })
})
