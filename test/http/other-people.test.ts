import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Enrolled, startWorld, type World } from '../world.ts'
import { errorOf, isSignedIn, signIn } from './journeys.ts'

describe('what belongs to somebody else', () => {
  let world: World
  let mine: Enrolled
  let theirs: Enrolled
  let theirDevice: string
  let theirSession: string
  before(async () => {
    world = await startWorld()
    theirs = await world.enrolled('theirs')
    theirDevice = (await theirs.browser.get('/auth/devices/')).body.devices[0].id
    theirSession = (await theirs.browser.get('/auth/sessions/')).body.sessions[0].id
    mine = await world.enrolled('mine')
  })
  after(() => world.close())

  it('device cannot be renamed (SEC-AZ-2, L-11)', async () => {
    const reply = await mine.browser.patch(`/auth/devices/${theirDevice}/`, { name: 'owned' })
    assert.deepEqual(errorOf(reply), [404, 'not_found'])
    assert.equal((await theirs.browser.get('/auth/devices/')).body.devices[0].name, 'Authenticator')
  })

  it('device cannot be removed, and still works (SEC-AZ-2, L-11)', async () => {
    assert.deepEqual(errorOf(await mine.browser.delete(`/auth/devices/${theirDevice}/`)), [404, 'not_found'])
    assert.equal(await isSignedIn(await signIn(world, theirs)), true)
  })

  it('session cannot be ended (SEC-SES-11)', async () => {
    assert.deepEqual(errorOf(await mine.browser.delete(`/auth/sessions/${theirSession}/`)), [
      404,
      'not_found',
    ])
    assert.equal(await isSignedIn(theirs.browser), true)
  })

  it('sessions survive that I end all my others (SEC-SES-11)', async () => {
    assert.equal((await mine.browser.delete('/auth/sessions/')).status, 200)
    assert.equal(await isSignedIn(theirs.browser), true)
  })

  it('devices and sessions are in none of my lists', async () => {
    assert.equal((await mine.browser.get('/auth/devices/')).text.includes(theirDevice), false)
    assert.equal((await mine.browser.get('/auth/sessions/')).text.includes(theirSession), false)
  })

  it('is answered exactly as what is not there', async () => {
    const absent = '0'.repeat(26)
    const pairs = [
      [`/auth/devices/${theirDevice}/`, `/auth/devices/${absent}/`],
      [`/auth/sessions/${theirSession}/`, `/auth/sessions/${absent}/`],
    ] as const
    for (const [foreign, none] of pairs) {
      assert.equal((await mine.browser.delete(foreign)).text, (await mine.browser.delete(none)).text)
    }
  })
})
