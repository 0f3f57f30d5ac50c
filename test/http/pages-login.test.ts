import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { formKeyIn, locationOf, postFields, readable, submit } from '../support/forms.ts'
import { type Browser, PASSWORD, phoneOf, type Reply, startWorld, type World } from '../world.ts'

let world: World
before(async () => {
  world = await startWorld()
})
after(() => world.close())

const password = { step: 'password', password: PASSWORD }
const code = { step: 'code', from: 'app', tries: '0' }

/** The secret that a page shows in order to be typed. */
function secretOn({ text }: Reply): string {
  return /id="secret" data-text="([A-Z2-7]+)"/.exec(text)?.[1] ?? assert.fail('no secret on this page')
}

/** Sends the first step and opens the page of the next. */
async function upToCode(browser: Browser, username: string): Promise<Reply> {
  const sent = await submit(browser, await browser.get('/login'), '/login', { ...password, username })
  assert.equal(sent.status, 303, sent.text)
  return browser.get('/login')
}

describe('signing in by the pages', () => {
  it('asks for username and password, then for the code, then goes to the account', async () => {
    const alice = await world.enrolled('alice')
    const browser = world.browser()
    const page = await upToCode(browser, 'alice')
    assert.match(readable(page), /Enter your code.*alice/)
    const done = await submit(browser, page, '/login', { ...code, otp: alice.phone.code() })
    assert.equal(done.status, 303)
    assert.equal(locationOf(done), '/account')
    assert.equal((await browser.get('/auth/session/')).status, 200)
  })

  it('takes a pasted code with a space in it', async () => {
    const { phone } = await world.enrolled('pasted')
    const browser = world.browser()
    const page = await upToCode(browser, 'pasted')
    const typed = phone.code().replace(/^.../, '$& ')
    assert.equal((await submit(browser, page, '/login', { ...code, otp: typed })).status, 303)
  })

  it('says the same of unknown names, wrong passwords and disabled users (SEC-AUTH-6)', async () => {
    await world.user('known')
    const tell = async (username: string, typed: string) => {
      const browser = world.browser()
      const page = await browser.get('/login')
      const answer = await submit(browser, page, '/login', {
        step: 'password',
        username,
        password: typed,
      })
      return [answer.status, readable(answer).replaceAll(username, 'NAME')]
    }
    const wrong = await tell('known', 'something else entirely')
    assert.equal(wrong[0], 422)
    assert.deepEqual(await tell('nobody', PASSWORD), wrong)
    assert.deepEqual(await tell('nobody', '\ud800'), wrong)
  })

  it('keeps the name that was typed and never the password', async () => {
    const browser = world.browser()
    const fields = { step: 'password', username: 'mistyped', password: 'not shown to anybody' }
    const answer = await submit(browser, await browser.get('/login'), '/login', fields)
    assert.match(answer.text, /value="mistyped"/)
    assert.doesNotMatch(answer.text, /not shown to anybody/)
  })

  it('tells the time of the server after two wrong codes, and not before', async () => {
    await world.enrolled('late')
    const browser = world.browser()
    let page = await upToCode(browser, 'late')
    for (const [tries, says] of [
      ['0', false],
      ['1', true],
    ] as const) {
      page = await submit(browser, page, '/login', { ...code, tries, otp: '000000' })
      assert.equal(page.status, 422)
      assert.equal(/data-clock/.test(page.text), says)
    }
  })

  it('says how long to wait after too many wrong codes', async () => {
    await world.enrolled('guessed')
    const browser = world.browser()
    let page = await upToCode(browser, 'guessed')
    for (let i = 0; i < 6; i++) page = await submit(browser, page, '/login', { ...code, otp: '000000' })
    assert.equal(page.status, 429)
    assert.match(readable(page), /Try again in \d+ seconds/)
    assert.match(page.headers.get('retry-after') ?? '', /^\d+$/)
  })

  it('starts over with another name', async () => {
    await world.enrolled('first-name')
    const browser = world.browser()
    const page = await upToCode(browser, 'first-name')
    assert.equal(locationOf(await submit(browser, page, '/login', { step: 'start-over' })), '/login')
    assert.match((await browser.get('/login')).text, /name="username"/)
  })

  it('signs in by a recovery code, and says how many are left', async () => {
    const { browser: first } = await world.enrolled('lost')
    const made = await first.post('/auth/recovery-codes/')
    const browser = world.browser()
    await upToCode(browser, 'lost')
    const page = await browser.get('/login?with=recovery')
    assert.match(page.text, /name="from" value="recovery"/)
    const fields = { ...code, from: 'recovery', otp: made.body.recovery_codes[0] }
    const done = await submit(browser, page, '/login', fields)
    assert.equal(done.status, 200)
    assert.match(readable(done), /You have 9 left/)
    assert.equal((await browser.get('/auth/session/')).status, 200)
  })

  it('signs out by POST only, and says so (SEC-SES-10)', async () => {
    const { browser } = await world.enrolled('leaving')
    assert.equal((await browser.get('/logout')).status, 405)
    const out = await submit(browser, await browser.get('/confirm'), '/logout')
    assert.equal(locationOf(out), '/login?signed_out=')
    assert.match(readable(await browser.get('/login?signed_out=')), /You are signed out/)
  })
})

describe('setting up an authenticator while signing in', () => {
  it('shows one picture until its code is right, then recovery codes, then goes on', async () => {
    await world.user('newcomer')
    const browser = world.browser()
    const page = await upToCode(browser, 'newcomer')
    const secret = secretOn(page)
    assert.match(page.text, /<svg [^>]*width="240"/)
    const wrong = await submit(browser, page, '/login', {
      ...code,
      otp: '000000',
      return_to: '/account/devices',
    })
    assert.equal(wrong.status, 422)
    assert.equal(secretOn(wrong), secret)
    assert.equal(secretOn(await browser.get('/login')), secret)

    const otp = phoneOf(world.clock, secret).code()
    const codes = await submit(browser, wrong, '/login', { ...code, otp, return_to: '/account/devices' })
    assert.equal(codes.status, 200)
    assert.equal(codes.text.match(/<li>/g)?.length, 10)
    assert.doesNotMatch(codes.text, new RegExp(secret))
    const saved = { saved: 'yes', return_to: '/account/devices' }
    const gate = await submit(browser, codes, '/account/recovery-codes/saved', saved)
    assert.equal(locationOf(gate), '/account/devices')
  })

  it('does not show the picture to another login of the same user (SEC-OTP-9)', async () => {
    await world.user('watched')
    const [own, other] = [world.browser(), world.browser()]
    const secret = secretOn(await upToCode(own, 'watched'))
    const theirs = await upToCode(other, 'watched')
    assert.notEqual(secretOn(theirs), secret)
    // The latest enrolment is the one that counts; the first login may begin again.
    const before = await own.get('/login')
    assert.doesNotMatch(before.text, /id="secret"/)
    assert.equal(locationOf(await submit(own, before, '/login', { step: 'enrol' })), '/login')
    secretOn(await own.get('/login'))
  })
})

describe('where a sign-in leads to (SEC-RED-1)', () => {
  it('goes back to a path of ours, through every step', async () => {
    const { phone } = await world.enrolled('returning')
    const browser = world.browser()
    const page = await browser.get('/login?return_to=/account/sessions')
    assert.match(page.text, /name="return_to" value="\/account\/sessions"/)
    const return_to = '/account/sessions'
    const sent = await submit(browser, page, '/login', { ...password, username: 'returning', return_to })
    assert.equal(locationOf(sent), '/login?return_to=%2Faccount%2Fsessions')
    const next = await browser.get('/login?return_to=%2Faccount%2Fsessions')
    const done = await submit(browser, next, '/login', { ...code, otp: phone.code(), return_to })
    assert.equal(locationOf(done), '/account/sessions')
    assert.equal(locationOf(await browser.get('/login?return_to=/account/password')), '/account/password')
  })

  it('goes to the account instead of anywhere else', async () => {
    const { browser } = await world.enrolled('lured')
    for (const lure of [
      'https://evil.example',
      '//evil.example',
      '/\\evil.example',
      '/%09/evil.example/..//x',
    ]) {
      const answer = await browser.get(`/login?return_to=${encodeURIComponent(lure)}`)
      assert.match(locationOf(answer) ?? '', /^\/(?!\/)/, lure)
    }
  })
})

describe('forms are ours (SEC-CSRF-1, SEC-CSRF-2)', () => {
  const fields = { step: 'password', username: 'x', password: PASSWORD }

  it('refuses a form without its key, and with that of another browser', async () => {
    const browser = world.browser()
    await browser.get('/login')
    const other = formKeyIn(await world.browser().get('/login'))
    for (const key of [{}, { form_token: '' }, { form_token: other }] as Record<string, string>[]) {
      const answer = await postFields(browser, '/login', { ...fields, ...key })
      assert.equal(answer.status, 403)
      assert.match(readable(answer), /open for too long/)
    }
  })

  it('gives another key after signing in, and takes the former no more', async () => {
    const { phone } = await world.enrolled('keyed')
    const browser = world.browser()
    const before = await browser.get('/login')
    const page = await upToCode(browser, 'keyed')
    await submit(browser, page, '/login', { ...code, otp: phone.code() })
    const after = await browser.get('/confirm')
    assert.notEqual(formKeyIn(after), formKeyIn(before))
    assert.equal((await submit(browser, before, '/logout')).status, 403)
  })

  it('refuses what comes from the page of another site', async () => {
    const browser = world.browser()
    const key = formKeyIn(await browser.get('/login'))
    const answer = await browser.send('/login', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' },
      body: new URLSearchParams({ ...fields, form_token: key }).toString(),
    })
    assert.equal(answer.status, 403)
    assert.match(readable(answer), /another site/)
  })
})
