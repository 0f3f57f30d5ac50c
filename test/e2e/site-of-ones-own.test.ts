import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { temporaryFolder } from '../support/apache.ts'
import { assertFits, inaccessible } from '../support/browser-axe.ts'
import { makeEnrolledPerson, makePerson } from '../support/browser-people.ts'
import { takePictures, themes } from '../support/browser-pictures.ts'
import { assertSignedIn, enrol, keepRecoveryCodes, send } from '../support/browser-steps.ts'
import { type BrowserWorld, startBrowserWorld } from '../support/browser-world.ts'

const logo =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 40"><rect width="120" height="40" rx="8" fill="#7a1f5c"/></svg>'

describe('a site with its own name, colour and logo, and with one form for all', () => {
  const folder = temporaryFolder('ww-brand-')
  let world: BrowserWorld
  before(async () => {
    writeFileSync(join(folder, 'logo.svg'), logo)
    world = await startBrowserWorld({
      WATCHWORD_BRAND_NAME: 'Example Works',
      WATCHWORD_BRAND_ACCENT: '#7a1f5c',
      WATCHWORD_BRAND_LOGO: join(folder, 'logo.svg'),
      WATCHWORD_LOGIN_FORM: 'single',
    })
  })
  after(async () => {
    await world?.close()
    rmSync(folder, { recursive: true })
  })

  it('shows them on its pages', async () => {
    const page = await world.visit()
    await page.goto('/login')
    assert.match(await page.title(), /Example Works/)
    assert.ok(await page.evaluate<boolean>('document.querySelector("header img").naturalWidth > 0'))
    const colour = await page.evaluate<string>(
      'getComputedStyle(document.querySelector("button.wide")).backgroundColor',
    )
    assert.equal(colour, 'rgb(122, 31, 92)')
    await takePictures(page, 'login-single-en')
    await assertFits(page)
    for (const colorScheme of themes) {
      await page.emulateMedia({ colorScheme })
      assert.deepEqual(await inaccessible(page), [], colorScheme)
    }
    world.assertCalm()
  })

  it('signs somebody in with all three at once', async () => {
    const { phone, ...alice } = await makeEnrolledPerson(world, 'alice')
    const page = await world.visit()
    await page.goto('/login')
    await send(page, { username: alice.username, password: alice.password, otp: phone.code() })
    await assertSignedIn(page)
    world.assertCalm()
  })

  it('tells nothing of which of the three was wrong', async () => {
    const { phone, ...bob } = await makeEnrolledPerson(world, 'bob')
    const texts = await Promise.all(
      [
        { username: 'bob', password: bob.password, otp: phone.wrongCode() },
        { username: 'bob', password: 'not the password', otp: phone.code() },
        { username: 'bib', password: bob.password, otp: '123456' },
      ].map(async (fields) => {
        const page = await world.visit()
        await page.goto('/login')
        await send(page, fields)
        return page.locator('main').innerText()
      }),
    )
    assert.equal(new Set(texts).size, 1)
    world.assertCalm()
  })

  it('leads somebody without an authenticator to setting one up', async () => {
    const carol = await makePerson(world, 'carol')
    const page = await world.visit()
    await page.goto('/login')
    await send(page, { username: carol.username, password: carol.password })
    await enrol(page)
    await keepRecoveryCodes(page)
    await assertSignedIn(page)
    world.assertCalm()
  })
})
