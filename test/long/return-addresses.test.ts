import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { giveAuthenticator, holdSession, makeEnrolledPerson } from '../support/browser-people.ts'
import { assertSignedIn, send } from '../support/browser-steps.ts'
import { type BrowserWorld, startBrowserWorld } from '../support/browser-world.ts'
import { hostileAddresses } from '../support/hostile-addresses.ts'

/** How many addresses are tried; 500 before a release. */
const COUNT = Number(process.env.WW_HOSTILE_COUNT ?? 500)

const FRIEND = 'https://wiki.example.com'

// What counts is where Chromium is in the end, not what a header looks like.
describe('the address to go back to after signing in', () => {
  let world: BrowserWorld
  let addresses: readonly string[]
  before(async () => {
    world = await startBrowserWorld({ WATCHWORD_LOGIN_RETURN_ORIGINS: FRIEND })
    addresses = hostileAddresses(COUNT, world.origin)
  })
  after(() => world?.close())

  /** Where this browser is led; off the site only if it says so. */
  async function strays(page: Page, path: string): Promise<boolean> {
    try {
      await page.goto(path)
    } catch {
      return true
    }
    return new URL(page.url()).origin !== world.origin
  }

  it('never leads somebody signed in to another place (FT-REDIR-1)', async () => {
    const alice = await makeEnrolledPerson(world, 'alice')
    const strayed: string[] = []
    const lane = async (part: readonly string[]) => {
      const page = await world.visit()
      await holdSession(world, page, alice)
      for (const address of part) {
        if (await strays(page, `/login?return_to=${encodeURIComponent(address)}`)) strayed.push(address)
      }
    }
    await Promise.all([0, 1, 2].map((nth) => lane(addresses.filter((_, index) => index % 3 === nth))))
    assert.deepEqual(strayed, [])
    world.assertCalm()
  })

  it('never leads to another place where it comes unescaped', async () => {
    const page = await world.visit()
    await holdSession(world, page, await makeEnrolledPerson(world, 'bob'))
    const strayed: string[] = []
    for (const address of addresses.slice(0, 50)) {
      if (await strays(page, `/login?return_to=${address}`)) strayed.push(address)
    }
    assert.deepEqual(strayed, [])
    world.assertCalm()
  })

  it('never leads away somebody who really signs in', async () => {
    const carol = await makeEnrolledPerson(world, 'carol')
    const second = await giveAuthenticator(world, 'carol', 'Second')
    const phones = [carol.phone, second, carol.phone, second]
    const host = 'evil.example'
    const worst = [`//${host}`, `/\\${host}`, `https://${host}/`, `javascript:alert(1)`]
    for (const [index, address] of worst.entries()) {
      const page = await world.visit()
      await page.goto(`/login?return_to=${encodeURIComponent(address)}`)
      await send(page, { username: carol.username, password: carol.password })
      await send(page, { otp: phones[index]?.code() ?? '' })
      assert.equal(new URL(page.url()).origin, world.origin)
      await assertSignedIn(page)
    }
    world.assertCalm()
  })

  it('leads to a page of ours and to a listed site, with the query that belongs to it', async () => {
    const page = await world.visit()
    await holdSession(world, page, await makeEnrolledPerson(world, 'dora'))
    const to = (address: string) => page.goto(`/login?return_to=${encodeURIComponent(address)}`)
    await to('/account/sessions?x=1&y=2')
    assert.equal(page.url(), `${world.origin}/account/sessions?x=1&y=2`)
    world.assertCalm()
    // Nothing answers there; what counts is that Chromium asks for it.
    await assert.rejects(to(`${FRIEND}/page?x=1`), /ERR_NAME_NOT_RESOLVED/)
    assert.ok(world.complaintsOf(page).includes(`other host: ${FRIEND}/page?x=1`))
  })
})
