import type { Page } from 'playwright-core'

/** Every element of the page with the names of its attributes, in order: what markup in a value would change. */
export function skeletonOf(page: Page): Promise<string> {
  return page.evaluate<string>(`
    Array.from(document.querySelectorAll('*'), (element) => {
      const names = element.getAttributeNames().filter((name) => name !== 'title').sort()
      return element.localName + '[' + names.join() + ']'
    }).join(' ')`)
}

/** All text of the page and what stands in its fields, as it is after the browser read the markup. */
export function textsOf(page: Page): Promise<string> {
  return page.evaluate<string>(`
    [document.title, document.body.textContent,
      ...Array.from(document.querySelectorAll('input'), ({ value }) => value)].join('\\n')`)
}
