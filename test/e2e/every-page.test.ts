import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { inaccessible, isTooWide, squeezed } from '../support/browser-axe.ts'
import { type Guide, startTour, stops } from '../support/browser-tour.ts'
import { weigh } from '../support/browser-weight.ts'
import { type BrowserWorld, startBrowserWorld } from '../support/browser-world.ts'

const folder = join(import.meta.dirname, 'screenshots')

/** Largest page, in bytes over the wire. */
const HEAVIEST = 30 * 1024

const themes = ['light', 'dark'] as const
const wide = { width: 1280, height: 800 }
const narrow = { width: 360, height: 740 }
/** The narrowest window that pages are made for. */
const narrowest = { width: 320, height: 568 }

/** Whether to take pictures: nobody looks at them where tests run by themselves. */
const takesPictures = process.env.WW_SCREENSHOTS !== undefined

/** Pictures for people to look at: both themes, wide and narrow. */
async function takePictures(page: Page, name: string): Promise<void> {
  if (!takesPictures) return
  for (const colorScheme of themes) {
    await page.emulateMedia({ colorScheme })
    for (const viewport of [wide, narrow]) {
      await page.setViewportSize(viewport)
      const path = join(folder, `${name}-${colorScheme}-${viewport.width}.png`)
      await page.screenshot({ path, fullPage: true })
    }
  }
}

async function assertFits(page: Page): Promise<void> {
  await page.setViewportSize(narrowest)
  assert.equal(await isTooWide(page), false, 'one has to scroll sideways')
  assert.deepEqual(await squeezed(page), [])
}

describe('every page', () => {
  let world: BrowserWorld
  let guide: Guide
  before(async () => {
    mkdirSync(folder, { recursive: true })
    world = await startBrowserWorld()
    guide = await startTour(world)
  })
  after(() => world?.close())

  for (const { name, status = 200, reach } of stops) {
    it(`is light, fits a phone and can be used by everybody: ${name}`, async () => {
      const page = await world.visit()
      const weight = await weigh(page)
      await reach(page, guide)
      const { status: answered, requests, bytes } = weight()
      assert.equal(answered, status)
      assert.ok(requests <= 2 && bytes <= HEAVIEST, `${requests} requests, ${bytes} bytes`)
      assert.equal(await page.locator('html').getAttribute('lang'), 'en')
      assert.equal(await page.locator('h1').count(), 1)
      await takePictures(page, `${name}-en`)

      await assertFits(page)
      for (const colorScheme of themes) {
        await page.emulateMedia({ colorScheme })
        assert.deepEqual(await inaccessible(page), [], colorScheme)
      }
      world.assertCalm()
    })

    it(`speaks German where the browser asks for it: ${name}`, async () => {
      const page = await world.visit({ locale: 'de-DE' })
      await reach(page, guide)
      assert.equal(await page.locator('html').getAttribute('lang'), 'de')
      await takePictures(page, `${name}-de`)
      await assertFits(page)
      world.assertCalm()
    })
  }
})
