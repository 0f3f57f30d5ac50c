import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { isTooWide } from '../support/browser-axe.ts'
import { holdSession, makePerson } from '../support/browser-people.ts'
import { type BrowserWorld, startBrowserWorld } from '../support/browser-world.ts'

// The API documentation in Chromium, through Apache over TLS: shown, and tried out.
describe('the API documentation in a browser', () => {
  let world: BrowserWorld
  before(async () => {
    world = await startBrowserWorld()
  })
  after(() => world.close())

  const operation = (page: Page, method: string, path: string) =>
    page.locator(`.opblock-${method}`).filter({ has: page.locator(`[data-path="${path}"]`) })

  /** Opens an operation, sends what is proposed or given, and reads the status that came. */
  async function tryOut(page: Page, method: string, path: string, body?: object): Promise<string> {
    const block = operation(page, method, path)
    await block.locator('.opblock-summary-control').click()
    await block.locator('.try-out__btn').click()
    if (body !== undefined) await block.locator('.body-param__text').fill(JSON.stringify(body))
    await block.locator('.execute').click()
    return block.locator('.live-responses-table .response .response-col_status').innerText()
  }

  it('shows every operation, and no more than our own host is asked', async () => {
    const page = await world.visit()
    await page.goto('/docs/api')
    await page.locator('.opblock').first().waitFor()
    const document = await page.evaluate<{ paths: Record<string, object> }>(
      'fetch("/openapi.json").then((answer) => answer.json())',
    )
    const operations = Object.values(document.paths).flatMap((methods) => Object.keys(methods))
    assert.equal(await page.locator('.opblock').count(), operations.length)
    assert.equal(await page.locator('.auth-wrapper, .authorize, .servers').count(), 0)
    world.assertCalm()
  })

  it('sends what one tries with the cookies of this browser', async () => {
    const page = await world.visit()
    await holdSession(world, page, await makePerson(world, 'reader'))
    await page.goto('/docs/api')
    assert.match(await tryOut(page, 'get', '/auth/session/'), /^200/)
    assert.match(await tryOut(page, 'post', '/auth/logout/'), /^200/)
    world.assertCalm()
  })

  it('tells of a refusal', async () => {
    const page = await world.visit()
    await page.goto('/docs/api')
    const wrong = { username: 'nobody', password: 'wrong' }
    assert.match(await tryOut(page, 'post', '/auth/login/', wrong), /^401/)
    const complaints = world.complaintsOf(page).filter((line) => !line.startsWith('401: '))
    assert.deepEqual(complaints, [])
  })

  it('shows all there is of an operation without a violation, light and wide, dark and narrow', async () => {
    const looks = [
      { colorScheme: 'light', viewport: { width: 1280, height: 900 } },
      { colorScheme: 'dark', viewport: { width: 360, height: 740 } },
    ] as const
    for (const look of looks) {
      const page = await world.visit(look)
      await page.goto('/docs/api')
      await operation(page, 'post', '/auth/login/').locator('.opblock-summary-control').click()
      await page.getByText('Schema', { exact: true }).first().click()
      const isDark = await page.evaluate<boolean>('document.documentElement.classList.contains("dark-mode")')
      assert.equal(isDark, look.colorScheme === 'dark')
      assert.equal(await isTooWide(page), false)
      assert.deepEqual(world.complaintsOf(page), [])
    }
  })
})
