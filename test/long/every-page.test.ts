import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { assertFits, inaccessible } from '../support/browser-axe.ts'
import { type Guide, startTour } from '../support/browser-guide.ts'
import { takePictures } from '../support/browser-pictures.ts'
import { stops } from '../support/browser-tour.ts'
import { weigh } from '../support/browser-weight.ts'
import { type BrowserWorld, startBrowserWorld } from '../support/browser-world.ts'

/** Largest page, in bytes over the wire. */
const HEAVIEST = 30 * 1024

describe('every page', () => {
  let world: BrowserWorld
  let guide: Guide
  before(async () => {
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
      await page.emulateMedia({ colorScheme: 'light' })
      assert.deepEqual(await inaccessible(page), [])
      await page.emulateMedia({ colorScheme: 'dark' })
      assert.deepEqual(await inaccessible(page, 'colours'), [])
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
