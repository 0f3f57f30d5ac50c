import assert from 'node:assert/strict'
import type { Locator, Page } from 'playwright-core'
import { type Authenticator, type EnrolledPerson, type Person, scan } from './browser-people.ts'

/** The form with a field of this name. */
export const formWith = (page: Page, field: string): Locator =>
  page.locator('form').filter({ has: page.locator(`[name="${field}"]`) })

/** The button that sends a form. */
export const buttonOf = (form: Locator): Locator =>
  form.locator('button:not([type="button"]), input[type="submit"]').first()

/** Does something that leads to another page, and waits until that is there. */
export async function leads(page: Page, action: () => Promise<unknown>): Promise<void> {
  await Promise.all([page.waitForEvent('load'), action()])
}

/** Types into the fields of the form that has the first of them, and sends it. */
export async function send(page: Page, fields: Readonly<Record<string, string>>): Promise<void> {
  const [first = ''] = Object.keys(fields)
  const form = formWith(page, first)
  for (const [name, value] of Object.entries(fields)) await form.locator(`[name="${name}"]`).fill(value)
  await leads(page, () => buttonOf(form).click())
}

/** Username and password at the page for signing in. */
export async function sendPassword(page: Page, { username, password }: Omit<Person, 'id'>): Promise<void> {
  await page.goto('/login')
  await send(page, { username, password })
}

/** Signs in with all factors. */
export async function signIn(page: Page, person: Omit<EnrolledPerson, 'id'>): Promise<void> {
  await sendPassword(page, person)
  await send(page, { otp: person.phone.code() })
  await assertSignedIn(page)
}

/** Scans the page for the enrolment, and sends the first code. */
export async function enrol(page: Page): Promise<Authenticator> {
  const phone = await scan(page)
  await send(page, { otp: phone.code() })
  return phone
}

/** Reads the recovery codes that the page shows, and says that they are saved. */
export async function keepRecoveryCodes(page: Page): Promise<string[]> {
  const codes = await page.locator('#recovery-codes li').allInnerTexts()
  assert.equal(codes.length, 10)
  const form = formWith(page, 'saved')
  await form.locator('[name="saved"]').check()
  await leads(page, () => buttonOf(form).click())
  return codes.map((code) => code.trim())
}

/** Presses the button that every page of somebody signed in has. */
export async function signOut(page: Page): Promise<void> {
  await leads(page, () => buttonOf(page.locator('form[action="/logout"]').first()).click())
}

/** Whether the server knows somebody in this browser. */
export async function isSignedIn(page: Page): Promise<boolean> {
  const tab = await page.context().newPage()
  const answer = await tab.goto('/auth/session/')
  await tab.close()
  return answer?.status() === 200
}

/** Fails unless the page of this browser is one of somebody signed in, and the server says so too. */
export async function assertSignedIn(page: Page): Promise<void> {
  await page.locator('form[action="/logout"]').first().waitFor({ state: 'attached' })
  assert.ok(await isSignedIn(page), `not signed in at ${page.url()}`)
}

/** The path of the page, without its query. */
export const pathOf = (page: Page): string => new URL(page.url()).pathname
