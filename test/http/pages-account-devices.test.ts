import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fillIn, locationOf, readable, submit } from '../support/forms.ts'
import {
  type Browser,
  type Enrolled,
  expectStatus,
  PASSWORD,
  phoneOf,
  startWorld,
  type World,
} from '../world.ts'
import { giveCounterToken, isSignedIn, recoveryCodes, SESSION, signIn } from './journeys.ts'

const DEVICES = '/account/devices'
const german = { 'accept-language': 'de' }

let world: World
before(async () => {
  world = await startWorld()
})
after(() => world.close())

let made = 0
const somebody = (): Promise<Enrolled> => world.enrolled(`owner${++made}`)

const devicesOf = async (browser: Browser): Promise<{ id: string; name: string }[]> =>
  (await browser.get('/auth/devices/')).body.devices

const idOf = async (browser: Browser): Promise<string> => (await devicesOf(browser))[0]?.id ?? ''

/** The secret that the page for a new authenticator shows. */
const secretIn = ({ text }: { readonly text: string }): string =>
  /id="secret" data-text="([A-Z2-7]{32})"/.exec(text)?.[1] ?? ''

const begin = async (browser: Browser, name = 'Tablet') => {
  const begun = await fillIn(browser, DEVICES, '/account/devices/add', { name })
  assert.equal(locationOf(begun), '/account/devices/new')
  return expectStatus(browser.get('/account/devices/new'), 200)
}

describe('the list of authenticators', () => {
  it('tells of each what it is and when it was used, and never its secret (SEC-OTP-9)', async () => {
    const { browser, username, phone } = await somebody()
    await giveCounterToken(world, username)
    const again = await signIn(world, { username, phone }, browser)
    const page = await again.get(DEVICES)
    const text = readable(page)
    assert.match(text, /Authenticator Authenticator app · Added: \d+ \w+ 2027, .* · Last used: \d+ /)
    assert.match(text, /Token Hardware token · Added: .* · Last used: never/)
    assert.ok(!page.text.includes(phone.secret))
  })

  it('marks a disabled one, and says what to do', async () => {
    const { browser } = await somebody()
    await world.services.db.updateTable('otp_device').set({ disabled_at: 1 }).execute()
    const text = readable(await browser.get(DEVICES))
    assert.match(text, /Authenticator Disabled .* Remove it and set it up again/)
    await world.services.db.updateTable('otp_device').set({ disabled_at: null }).execute()
  })

  it('speaks German', async () => {
    const { browser } = await somebody()
    assert.match(readable(await browser.get(DEVICES, german)), /Umbenennen .* Entfernen .* hinzufügen/)
  })
})

describe('an authenticator', () => {
  it('gets another name', async () => {
    const { browser } = await somebody()
    const fields = { id: await idOf(browser), name: '  My phone ' }
    const reply = await fillIn(browser, DEVICES, '/account/devices/rename', fields)
    assert.equal(locationOf(reply), '/account/devices?notice=device-renamed')
    assert.match(readable(await browser.get('/account/devices?notice=device-renamed')), /has its new name/)
    assert.equal((await devicesOf(browser))[0]?.name, 'My phone')
  })

  for (const name of ['', '   ', 'x'.repeat(65), 'a\u202eb', 'a\u0000b']) {
    it(`is not called ${JSON.stringify(name)}; the form says why, beside the field`, async () => {
      const { browser } = await somebody()
      const id = await idOf(browser)
      const reply = await fillIn(browser, DEVICES, '/account/devices/rename', { id, name })
      assert.equal(reply.status, 422)
      assert.match(reply.text, new RegExp(`<details open>[\\s\\S]*id="name-${id}-error">A name has 1 to 64`))
      assert.equal((await devicesOf(browser))[0]?.name, 'Authenticator')
    })
  }

  it('is removed, and the session goes on under a new token (SEC-SES-9)', async () => {
    const user = await somebody()
    await giveCounterToken(world, user.username)
    const browser = await signIn(world, user)
    const other = await signIn(world, user)
    const before = browser.cookies.get(SESSION)
    const token = (await devicesOf(browser)).find(({ name }) => name === 'Token')
    const reply = await fillIn(browser, DEVICES, '/account/devices/remove', { id: token?.id ?? '' })
    assert.equal(locationOf(reply), '/account/devices?notice=device-removed')
    assert.notEqual(browser.cookies.get(SESSION), before)
    assert.equal(await isSignedIn(other), false)
    assert.equal((await devicesOf(browser)).length, 1)
  })

  it('stays when it is the last one, and the page says so where it was asked (SEC-AUTH-14)', async () => {
    const { browser } = await somebody()
    const reply = await fillIn(browser, DEVICES, '/account/devices/remove', { id: await idOf(browser) })
    assert.equal(reply.status, 422)
    assert.match(reply.text, /<details open>[\s\S]*This is your last authenticator/)
    assert.equal((await devicesOf(browser)).length, 1)
  })

  it('is removed with a fresh proof only, which leads back (SEC-AUTH-10)', async () => {
    const { browser } = await somebody()
    world.clock.advance(300)
    const id = await idOf(browser)
    const reply = await fillIn(browser, DEVICES, '/account/devices/remove', { id })
    assert.equal(locationOf(reply), '/confirm?return_to=%2Faccount%2Fdevices')
  })

  it('of somebody else is as absent as one that is not there (SEC-AZ-2)', async () => {
    const [mine, theirs] = [await somebody(), await somebody()]
    const foreign = await idOf(theirs.browser)
    for (const path of ['/account/devices/rename', '/account/devices/remove']) {
      const name = path.endsWith('rename') ? { name: 'owned' } : {}
      const there = await fillIn(mine.browser, DEVICES, path, { id: foreign, ...name })
      const nowhere = await fillIn(mine.browser, DEVICES, path, { id: '0'.repeat(26), ...name })
      assert.deepEqual([there.status, there.text], [404, nowhere.text])
      assert.match(readable(there), /This authenticator is there no more/)
    }
    assert.deepEqual(await devicesOf(theirs.browser), [
      { ...(await devicesOf(theirs.browser))[0], name: 'Authenticator' },
    ])
  })

  it('is asked for by an identifier, and by nothing else', async () => {
    const { browser } = await somebody()
    for (const id of ['', '1', "' OR 1=1 --", '../1', '0'.repeat(27)]) {
      assert.equal((await fillIn(browser, DEVICES, '/account/devices/remove', { id })).status, 400)
    }
  })
})

describe('a new authenticator', () => {
  it('is set up with its first code; a mistyped one keeps the picture', async () => {
    const { browser } = await somebody()
    await recoveryCodes(browser)
    const page = await begin(browser)
    const secret = secretIn(page)
    const wrong = await submit(browser, page, '/account/devices/new', { otp: '000000' })
    assert.equal(wrong.status, 422)
    assert.equal(secretIn(wrong), secret)
    assert.match(wrong.text, /id="otp-error">That code did not work/)
    assert.equal(secretIn(await browser.get('/account/devices/new')), secret)
    const otp = phoneOf(world.clock, secret).code()
    const reply = await submit(browser, wrong, '/account/devices/new', { otp })
    assert.equal(locationOf(reply), '/account/devices?notice=device-added')
    const text = readable(await browser.get('/account/devices?notice=device-added'))
    assert.match(text, /Your new authenticator works from now on/)
    assert.match(text, /Tablet Authenticator app/)
    assert.equal(locationOf(await browser.get('/account/devices/new')), '/account/devices?notice=setup-over')
  })

  it('brings recovery codes for whoever has none (SEC-REC-6)', async () => {
    const { browser } = await somebody()
    const page = await begin(browser)
    const otp = phoneOf(world.clock, secretIn(page)).code()
    const reply = await submit(browser, page, '/account/devices/new', { otp })
    assert.equal(reply.status, 200)
    assert.equal(reply.text.match(/<li>[0-9A-Z-]{21}<\/li>/g)?.length, 10)
    const fields = { saved: 'yes', return_to: DEVICES }
    assert.equal(locationOf(await submit(browser, reply, '/account/recovery-codes/saved', fields)), DEVICES)
    assert.equal((await browser.get('/auth/recovery-codes/')).body.remaining, 10)
  })

  it('is the first one where none is demanded', async () => {
    const optional = await startWorld({ config: { login: { enrolment: 'optional' } } })
    await optional.user('free')
    const browser = optional.browser()
    await browser.post('/auth/login/', { username: 'free', password: PASSWORD })
    const page = await begin(browser, '')
    const otp = phoneOf(optional.clock, secretIn(page)).code()
    const reply = await submit(browser, page, '/account/devices/new', { otp })
    assert.match(readable(reply), /Save your recovery codes/)
    assert.match(readable(await browser.get('/account')), /password and one-time code/)
    await optional.close()
  })

  it('has a name that may be shown, or none', async () => {
    const { browser } = await somebody()
    const reply = await fillIn(browser, DEVICES, '/account/devices/add', { name: 'a\u202eb' })
    assert.equal(reply.status, 422)
    assert.match(reply.text, /id="name-error">A name has 1 to 64/)
  })

  it('is not one more than the number that is allowed', async () => {
    const user = await somebody()
    const { maximumDevices } = world.services.policy
    for (let count = 1; count < maximumDevices; count++) await giveCounterToken(world, user.username)
    const browser = await signIn(world, user)
    const reply = await fillIn(browser, DEVICES, '/account/devices/add', { name: 'One more' })
    assert.equal(reply.status, 422)
    assert.match(reply.text, /id="name-error">You have \d+ authenticators/)
  })

  it('needs a fresh proof to begin and to be seen again (SEC-AUTH-10)', async () => {
    const { browser } = await somebody()
    await begin(browser)
    world.clock.advance(300)
    const stale = '/confirm?return_to=%2Faccount%2Fdevices'
    assert.equal(locationOf(await fillIn(browser, DEVICES, '/account/devices/add')), stale)
    assert.equal(locationOf(await browser.get('/account/devices/new')), stale)
  })

  it('is shown to the session that began it, and to no other of the same user', async () => {
    const user = await somebody()
    const other = await signIn(world, user)
    await begin(user.browser)
    const reply = await other.get('/account/devices/new')
    assert.equal(locationOf(reply), '/account/devices?notice=setup-over')
  })

  it('makes one wait after too many wrong codes', async () => {
    const { browser } = await somebody()
    const page = await begin(browser)
    let reply = page
    for (let i = 0; i < 30 && reply.status !== 429; i++) {
      reply = await submit(browser, page, '/account/devices/new', { otp: '000000' })
    }
    assert.equal(reply.status, 429)
    assert.match(reply.headers.get('retry-after') ?? '', /^\d+$/)
    assert.match(readable(reply), /Too many attempts/)
    assert.equal(secretIn(reply), secretIn(page))
  })
})
