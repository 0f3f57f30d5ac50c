import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { assertSignedIn, enrol, keepRecoveryCodes, pathOf, send } from '../support/browser-steps.ts'
import { type BrowserWorld, startBrowserWorld } from '../support/browser-world.ts'
import { PASSWORD } from '../world.ts'

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript (SEC-WEB-10)'
  describe(`the first start, ${how}`, () => {
    let world: BrowserWorld
    let page: Page
    let address = ''
    before(async () => {
      world = await startBrowserWorld()
      page = await world.visit({ javaScriptEnabled })
    })
    after(() => world?.close())

    it('prints an address for setting up, on the site and with a code in its fragment', () => {
      address = /https:\/\/\S+\/setup#\S+/.exec(world.server().stdout())?.[0] ?? ''
      assert.ok(address.startsWith(`${world.origin}/setup#`), world.server().stdout())
    })

    it('leads from that address to a superuser with a working authenticator', async () => {
      await page.goto(address)
      // Without script the code is pasted, with the whole address or without.
      const pasted = javaScriptEnabled ? {} : { code: address }
      await send(page, { ...pasted, username: 'alice', password: PASSWORD })
      const phone = await enrol(page)
      assert.match(phone.secret, /^[A-Z2-7]{32}$/)
      await keepRecoveryCodes(page)
      await assertSignedIn(page)
      assert.equal((await page.goto('/admin'))?.status(), 200)
      world.assertCalm()
    })

    it('has no code in the address of the page', () => {
      const code = new URL(address).hash.slice(1)
      assert.ok(!page.url().includes(code))
    })

    it('makes no second superuser by the same address', async () => {
      const stranger = await world.visit({ javaScriptEnabled })
      await stranger.goto(address)
      const field = stranger.locator('[name="username"]')
      const pasted = javaScriptEnabled ? {} : { code: address }
      if ((await field.count()) > 0)
        await send(stranger, { ...pasted, username: 'mallory', password: PASSWORD })
      assert.equal(await stranger.locator('#qr').count(), 0)
      assert.doesNotMatch(await world.command(['user', 'list']), /mallory/)
      world.assertCalm()
    })

    it('prints no such address at the next start', async () => {
      await world.restart()
      assert.doesNotMatch(world.server().stdout(), /setup/)
      await page.goto('/')
      assert.equal(pathOf(page), '/account')
    })
  })
}
