import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { makeEnrolledPerson } from '../support/browser-people.ts'
import { buttonOf, formWith, isSignedIn, send, sendPassword } from '../support/browser-steps.ts'
import { type BrowserWorld, startBrowserWorld } from '../support/browser-world.ts'

/** Status of the answer to the form with these fields. */
async function statusOf(page: Page, fields: Readonly<Record<string, string>>): Promise<number> {
  const [first = ''] = Object.keys(fields)
  const form = formWith(page, first)
  for (const [name, value] of Object.entries(fields)) await form.locator(`[name="${name}"]`).fill(value)
  const answered = page.waitForResponse((response) => response.request().method() === 'POST')
  const loaded = page.waitForEvent('load')
  await buttonOf(form).click()
  await loaded
  return (await answered).status()
}

describe('somebody who guesses', () => {
  let world: BrowserWorld
  before(async () => {
    world = await startBrowserWorld()
  })
  after(() => world?.close())

  for (const javaScriptEnabled of [true, false]) {
    const suffix = javaScriptEnabled ? '' : '-2'
    describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript (SEC-WEB-10)', () => {
      it('has to wait after five wrong passwords, and the page says how long', async () => {
        const page = await world.visit({ javaScriptEnabled })
        await page.goto('/login')
        for (let attempt = 0; attempt < 5; attempt++) {
          await send(page, { username: `nobody${suffix}`, password: `guess ${attempt}` })
          assert.ok(await page.locator('[name="password"]').isVisible())
        }
        assert.equal(await statusOf(page, { username: `nobody${suffix}`, password: 'guess' }), 429)
        assert.match(await page.locator('main').innerText(), /\b(?:[1-9]|[12]\d|30) seconds/)
        world.assertCalm()
      })

      it('has to wait after five wrong codes, and is not signed in', async () => {
        const page = await world.visit({ javaScriptEnabled })
        const alice = await makeEnrolledPerson(world, `alice${suffix}`)
        await sendPassword(page, alice)
        const wrong = alice.phone.wrongCode()
        for (let attempt = 0; attempt < 5; attempt++) await send(page, { otp: wrong })
        assert.equal(await statusOf(page, { otp: alice.phone.code() }), 429)
        assert.match(await page.locator('main').innerText(), /\b(?:[1-9]|[12]\d|30) seconds/)
        assert.equal(await isSignedIn(page), false)
        world.assertCalm()
      })

      it('sees the same for a name that exists and for one that does not (SEC-AUTH-6)', async () => {
        await makeEnrolledPerson(world, `bob${suffix}`)
        const texts = await Promise.all(
          [`bob${suffix}`, `bib${suffix}`].map(async (username) => {
            const page = await world.visit({ javaScriptEnabled })
            await sendPassword(page, { username, password: 'wrong' })
            return page.locator('main').innerText()
          }),
        )
        assert.equal(texts[0], texts[1])
        world.assertCalm()
      })
    })
  }
})
