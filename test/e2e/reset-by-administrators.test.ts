import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { holdSession, makeEnrolledPerson, type Person } from '../support/browser-people.ts'
import {
  assertSignedIn,
  buttonOf,
  enrol,
  isSignedIn,
  keepRecoveryCodes,
  leads,
  send,
  sendPassword,
} from '../support/browser-steps.ts'
import { type BrowserWorld, startBrowserWorld } from '../support/browser-world.ts'

/** From the page of a user to what comes of asking for a reset. */
async function askForReset(desk: Page, { id }: Pick<Person, 'id'>): Promise<void> {
  await desk.goto(`/admin/users/${id}`)
  await leads(desk, () => desk.locator(`a[href="/admin/users/${id}/reset"]`).first().click())
  await leads(desk, () => buttonOf(desk.locator(`form[action="/admin/users/${id}/reset"]`)).click())
}

describe('an administrator who resets the second factor', () => {
  let world: BrowserWorld
  let alice: Person
  let anna: Person
  before(async () => {
    world = await startBrowserWorld()
    alice = await makeEnrolledPerson(world, 'alice', { isSuperuser: true })
    anna = await makeEnrolledPerson(world, 'anna', { isSuperuser: true })
  })
  after(() => world?.close())

  for (const javaScriptEnabled of [true, false]) {
    it(`hands over a code that leads to a new authenticator${javaScriptEnabled ? '' : ', without JavaScript (SEC-WEB-10)'}`, async () => {
      const bob = await makeEnrolledPerson(world, javaScriptEnabled ? 'bob' : 'ben')
      const theirs = await world.visit({ javaScriptEnabled })
      await holdSession(world, theirs, bob)

      const desk = await world.visit({ javaScriptEnabled })
      await holdSession(world, desk, alice)
      await askForReset(desk, bob)
      const code = (await desk.locator('#code').innerText()).trim()
      assert.equal(await isSignedIn(theirs), false)

      await sendPassword(theirs, bob)
      if ((await theirs.locator('[name="from"][value="recovery"]').count()) === 0) {
        await theirs.goto('/login?with=recovery')
      }
      await send(theirs, { otp: code })
      assert.equal(await isSignedIn(theirs), false)
      await enrol(theirs)
      await keepRecoveryCodes(theirs)
      await assertSignedIn(theirs)
      world.assertCalm()
    })
  }

  it('cannot do so to another administrator alone (SEC-AUTH-16)', async () => {
    const theirs = await world.visit()
    await holdSession(world, theirs, anna)
    const desk = await world.visit()
    await holdSession(world, desk, alice)
    await askForReset(desk, anna)
    assert.equal(await desk.locator('#code').count(), 0)
    assert.equal(await isSignedIn(theirs), true)
    // Nor by asking twice.
    const again = await desk.goto(`/admin/users/${anna.id}/reset`)
    assert.equal(again?.status(), 200)
    const form = desk.locator(`form[action="/admin/users/${anna.id}/reset"]`)
    if ((await form.count()) > 0) await leads(desk, () => buttonOf(form).click())
    assert.equal(await desk.locator('#code').count(), 0)
    assert.equal(await isSignedIn(theirs), true)
    world.assertCalm()
  })

  it('does what another administrator asked for', async () => {
    const third = await makeEnrolledPerson(world, 'arthur', { isSuperuser: true })
    const desk = await world.visit()
    await holdSession(world, desk, third)
    await askForReset(desk, anna)
    assert.match((await desk.locator('#code').innerText()).trim(), /^\d(?:-[0-9A-Z]{4}){4}$/)
    world.assertCalm()
  })

  it('finds no button for their own account', async () => {
    const desk = await world.visit()
    await holdSession(world, desk, alice)
    await desk.goto(`/admin/users/${alice.id}`)
    assert.equal(await desk.locator(`a[href="/admin/users/${alice.id}/reset"]`).count(), 0)
    world.assertCalm()
  })
})
