import assert from 'node:assert/strict'
import type { Browser, Reply } from '../world.ts'

/** The key that the forms of a page carry. */
export function formKeyIn({ text }: Pick<Reply, 'text'>): string {
  const [, key] = /name="form_token" value="([^"]+)"/.exec(text) ?? []
  assert.ok(key, 'no form on this page')
  return key
}

/** Sends fields as HTML forms do, as they are. */
export function postFields(
  browser: Browser,
  path: string,
  fields: Readonly<Record<string, string>>,
): Promise<Reply> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return browser.send(path, { method: 'POST', headers, body: new URLSearchParams(fields).toString() })
}

/** Sends a form of a page that came before, with the key of that page. */
export function submit(
  browser: Browser,
  page: Pick<Reply, 'text'>,
  path: string,
  fields: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  return postFields(browser, path, { form_token: formKeyIn(page), ...fields })
}

/** Opens a page and sends a form of it. */
export async function fillIn(
  browser: Browser,
  pagePath: string,
  path: string,
  fields: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  return submit(browser, await browser.get(pagePath), path, fields)
}

/** Where an answer leads to. */
export const locationOf = ({ headers }: Pick<Reply, 'headers'>): string | null => headers.get('location')

/** The text that people read of a page: without markup, with single spaces. */
export function readable({ text }: Pick<Reply, 'text'>): string {
  const main = /<main[^>]*>([\s\S]*)<\/main>/.exec(text)?.[1] ?? text
  return main
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replaceAll(/\s+/g, ' ')
    .trim()
}
