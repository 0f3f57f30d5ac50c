import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'

const source = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')

interface Violation {
  readonly id: string
  readonly help: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[]
}

/**
 * What axe-core finds wrong on the page as it is shown now, one line a place.
 *
 * Only colours change with the theme, so the second theme needs no more than those. axe-core is put in through the
 * debugger, past the content security policy, which stays in force for the page.
 */
export async function inaccessible(
  page: Page,
  of: 'everything' | 'colours' = 'everything',
): Promise<string[]> {
  if (!(await page.evaluate<boolean>('"axe" in window'))) await page.evaluate(source)
  const colours = of === 'colours' ? ", runOnly: ['color-contrast', 'link-in-text-block']" : ''
  const { violations } = await page.evaluate<{ violations: readonly Violation[] }>(
    // Without preload it fetches no styles again, which the policy would report.
    `axe.run(document, { preload: false, resultTypes: ['violations']${colours} })`,
  )
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary = '' }) => `${id}: ${help}: ${html.slice(0, 200)} ${failureSummary}`),
  )
}

/** Whether the page is wider than its window, so that one would have to scroll sideways. */
export function isTooWide(page: Page): Promise<boolean> {
  return page.evaluate<boolean>('document.documentElement.scrollWidth > document.documentElement.clientWidth')
}

/**
 * Short texts that are broken into more lines than they have words, as when a column has no room left.
 *
 * A word that is longer than the column may still be broken once.
 */
function squeezed(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`
    [...document.querySelectorAll('a, button, label, summary, th, dt, h1, h2, h3, .tag')].flatMap((element) => {
      const text = element.textContent.trim()
      if (text === '' || !element.checkVisibility()) return []
      const range = document.createRange()
      range.selectNodeContents(element)
      const lines = new Set([...range.getClientRects()].map(({ bottom }) => Math.round(bottom / 8))).size
      return lines > text.split(/[\\s\u00ad-]+/).length + 1 ? [text + ': ' + lines + ' lines'] : []
    })`)
}

/** The narrowest window that pages are made for. */
const narrowest = { width: 320, height: 568 }

/** Fails if the page does not fit the narrowest window: wider than it, or with words broken for want of room. */
export async function assertFits(page: Page): Promise<void> {
  await page.setViewportSize(narrowest)
  assert.equal(await isTooWide(page), false, 'one has to scroll sideways')
  assert.deepEqual(await squeezed(page), [])
}
