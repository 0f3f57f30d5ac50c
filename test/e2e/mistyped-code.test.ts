import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { makeEnrolledPerson, makePerson, readQr, scan } from '../support/browser-people.ts'
import { assertSignedIn, isSignedIn, pathOf, send, sendPassword } from '../support/browser-steps.ts'
import { type BrowserWorld, startBrowserWorld } from '../support/browser-world.ts'

describe('a mistyped code', () => {
  let world: BrowserWorld
  before(async () => {
    world = await startBrowserWorld()
  })
  after(() => world?.close())

  for (const javaScriptEnabled of [true, false]) {
    const suffix = javaScriptEnabled ? '' : '-2'
    describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript (SEC-WEB-10)', () => {
      it('keeps the same QR code while setting up, and the right code goes on', async () => {
        const page = await world.visit({ javaScriptEnabled })
        await sendPassword(page, await makePerson(world, `alice${suffix}`))
        const before = await readQr(page)
        const phone = await scan(page)
        await send(page, { otp: phone.wrongCode() })
        assert.equal(await readQr(page), before)
        assert.ok(await page.locator('[name="otp"][aria-invalid="true"]').isVisible())
        await send(page, { otp: phone.code() })
        assert.equal(await page.locator('#recovery-codes li').count(), 10)
        world.assertCalm()
      })

      it('is told beside its field while signing in, and the server tells its time after the second', async () => {
        const page = await world.visit({ javaScriptEnabled })
        const bob = await makeEnrolledPerson(world, `bob${suffix}`)
        await sendPassword(page, bob)
        await send(page, { otp: bob.phone.wrongCode() })
        const field = page.locator('[name="otp"]')
        assert.equal(await field.getAttribute('aria-invalid'), 'true')
        const message = page.locator(
          `[id="${(await field.getAttribute('aria-describedby'))?.split(' ').at(-1)}"]`,
        )
        assert.ok((await message.innerText()).length > 5)
        assert.doesNotMatch(await page.locator('main').innerText(), /\d\d:\d\d/)
        await send(page, { otp: bob.phone.wrongCode() })
        assert.match(await page.locator('main').innerText(), /\d\d:\d\d/)
        assert.equal(await isSignedIn(page), false)
        world.assertCalm()
      })

      it('is forgiven when the right one comes, also with a space in its middle', async () => {
        const page = await world.visit({ javaScriptEnabled })
        const carol = await makeEnrolledPerson(world, `carol${suffix}`)
        await sendPassword(page, carol)
        await send(page, { otp: carol.phone.wrongCode() })
        const code = carol.phone.code()
        await send(page, { otp: `${code.slice(0, 3)} ${code.slice(3)}` })
        await assertSignedIn(page)
        assert.equal(pathOf(page), '/account')
        world.assertCalm()
      })
    })
  }
})
