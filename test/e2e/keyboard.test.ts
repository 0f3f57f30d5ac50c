import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { makePerson, scan } from '../support/browser-people.ts'
import { assertSignedIn, isSignedIn, leads, pathOf } from '../support/browser-steps.ts'
import { type BrowserWorld, startBrowserWorld } from '../support/browser-world.ts'

/** The most steps to anything on a page. */
const PATIENCE = 60

/** Tells the name, or the text, of what has the focus, and whether one can see that it does. */
const focused = `(() => {
  const { activeElement: element } = document
  const style = getComputedStyle(element)
  return {
    name: element.getAttribute('name') ?? element.id,
    text: element.textContent.trim(),
    href: element.getAttribute('href') ?? '',
    action: element.form?.getAttribute('action') ?? '',
    type: element.type ?? '',
    isVisible: element === document.body || (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2),
  }
})()`

interface Focus {
  readonly name: string
  readonly text: string
  readonly href: string
  readonly action: string
  readonly type: string
  readonly isVisible: boolean
}

const focusOf = (page: Page): Promise<Focus> => page.evaluate<Focus>(focused)

/** Presses Tab until something has the focus. Each stop on the way has to be seen. */
async function tabTo(page: Page, is: (focus: Focus) => boolean): Promise<void> {
  const passed: string[] = []
  for (let step = 0; step < PATIENCE; step++) {
    const focus = await focusOf(page)
    assert.ok(focus.isVisible, `one cannot see that ${JSON.stringify(focus)} has the focus`)
    if (is(focus)) return
    passed.push(focus.name || focus.href || focus.text)
    await page.keyboard.press('Tab')
  }
  assert.fail(`not reached by Tab: ${passed.join(', ')}`)
}

const type = (page: Page, text: string) => page.keyboard.type(text)
const enter = (page: Page) => leads(page, () => page.keyboard.press('Enter'))

describe('somebody with a keyboard alone', () => {
  let world: BrowserWorld
  let page: Page
  before(async () => {
    world = await startBrowserWorld()
    page = await world.visit()
  })
  after(() => world?.close())

  it('finds the first field under the cursor, sets up an authenticator and arrives at the account', async () => {
    const alice = await makePerson(world, 'alice')
    await page.goto('/login')
    assert.equal((await focusOf(page)).name, 'username')
    await type(page, alice.username)
    await tabTo(page, ({ name }) => name === 'password')
    await type(page, alice.password)
    await enter(page)

    const phone = await scan(page)
    await tabTo(page, ({ name }) => name === 'otp')
    await type(page, phone.code())
    await enter(page)

    await tabTo(page, ({ name }) => name === 'saved')
    await page.keyboard.press('Space')
    await tabTo(page, ({ type: kind, action }) => kind === 'submit' && !/log|lang/.test(action))
    await enter(page)
    await assertSignedIn(page)
    assert.equal(pathOf(page), '/account')
    world.assertCalm()
  })

  it('skips the navigation', async () => {
    await page.goto('/account')
    await page.keyboard.press('Tab')
    assert.equal((await focusOf(page)).href, '#main')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    const isInside = await page.evaluate<boolean>('document.activeElement.closest("main") !== null')
    assert.ok(isInside)
  })

  it('reaches everything on the way back, too', async () => {
    await page.goto('/account')
    const count =
      'document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary").length'
    const seen = new Set<string>()
    for (let step = 0; step < (await page.evaluate<number>(count)); step++) {
      await page.keyboard.press('Shift+Tab')
      const { isVisible, ...focus } = await focusOf(page)
      assert.ok(isVisible, JSON.stringify(focus))
      seen.add(`${focus.href} ${focus.action}`)
    }
    assert.ok([...seen].some((each) => each.includes('#main')))
    assert.ok([...seen].some((each) => each.includes('/logout')))
  })

  it('signs out', async () => {
    await page.goto('/account')
    await tabTo(page, ({ action }) => action.endsWith('/logout'))
    await enter(page)
    assert.equal(await isSignedIn(page), false)
    world.assertCalm()
  })
})
