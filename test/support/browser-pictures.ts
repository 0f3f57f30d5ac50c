import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'

const folder = join(import.meta.dirname, '..', 'e2e', 'screenshots')

/** Whether to take pictures: nobody looks at them where tests run by themselves. */
const takesPictures = process.env.WW_SCREENSHOTS !== undefined

/** What people may ask a page to look like. */
export const themes = ['light', 'dark'] as const

const viewports = [
  { width: 1280, height: 800 },
  { width: 360, height: 740 },
]

/**
 * Pictures of the page for people to look at, in both themes, wide and narrow, if `WW_SCREENSHOTS` is set.
 *
 * They are in `test/e2e/screenshots`.
 */
export async function takePictures(page: Page, name: string): Promise<void> {
  if (!takesPictures) return
  mkdirSync(folder, { recursive: true })
  for (const colorScheme of themes) {
    await page.emulateMedia({ colorScheme })
    for (const viewport of viewports) {
      await page.setViewportSize(viewport)
      const path = join(folder, `${name}-${colorScheme}-${viewport.width}.png`)
      await page.screenshot({ path, fullPage: true })
    }
  }
}
