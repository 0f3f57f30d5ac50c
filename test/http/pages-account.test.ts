import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { changeGroup } from '../../src/actions/change-group.ts'
import { fillIn, formKeyIn, locationOf, postFields, readable, submit } from '../support/forms.ts'
import { type Browser, type Enrolled, expectStatus, PASSWORD, startWorld, type World } from '../world.ts'
import { errorOf, isSignedIn, operator, recoveryCodes, SESSION, signIn, stranger } from './journeys.ts'

const german = { 'accept-language': 'de-DE,de;q=0.9' }
const pages = ['', '/devices', '/recovery-codes', '/sessions', '/password', '/activity'].map(
  (path) => `/account${path}`,
)

let world: World
before(async () => {
  world = await startWorld()
  await changeGroup(world.services, { kind: 'create', group: 'staff' }, operator)
})
after(() => world.close())

let made = 0
const somebody = (more = {}): Promise<Enrolled> => world.enrolled(`person${++made}`, more)

describe('every page of the account', () => {
  for (const path of pages) {
    it(`${path} asks strangers to sign in, and leads back`, async () => {
      const reply = await stranger(world).get(path)
      assert.equal(reply.status, 303)
      assert.equal(locationOf(reply), `/login?return_to=${encodeURIComponent(path)}`)
    })
  }

  it('is small, has one heading of the first order, and marks itself in the navigation', async () => {
    const { browser } = await somebody()
    for (const path of pages) {
      const { text } = await expectStatus(browser.get(path), 200)
      assert.ok(text.length < 30_000, `${path}: ${text.length}`)
      assert.equal(text.match(/<h1>/g)?.length, 1, path)
      assert.ok(text.includes(`<a href="${path}" aria-current="page">`), path)
      assert.equal(new Set(text.match(/ id="[^"]+"/g)).size, text.match(/ id="[^"]+"/g)?.length, path)
    }
  })

  it('speaks German', async () => {
    const { browser } = await somebody()
    const titles = [
      'Hallo',
      'Authenticatoren',
      'Wiederherstellungscodes',
      'Sitzungen',
      'Passwort',
      'Aktivität',
    ]
    for (const [index, path] of pages.entries()) {
      const { text } = await browser.get(path, german)
      assert.match(text, /<html lang="de"/)
      const title = /<h1>(.*?)<\/h1>/.exec(text)?.[1]?.replaceAll('\u00ad', '')
      assert.ok(title?.startsWith(titles[index] ?? '?'), `${path}: ${title}`)
    }
  })

  it('says nothing that its address invents', async () => {
    const { browser } = await somebody()
    const plain = (await browser.get('/account')).text
    const queries = [
      '?notice=evil',
      '?notice=constructor',
      '?notice=',
      '?notice=device-added&notice=superseded',
    ]
    for (const query of queries) {
      const { text } = await browser.get(`/account${query}`)
      assert.equal(text.includes('class="notice good"'), plain.includes('class="notice good"'), query)
      assert.equal(readable({ text }), readable({ text: plain }))
    }
  })
})

describe('the overview', () => {
  it('tells who one is, and what one has', async () => {
    const { browser, username } = await somebody({ displayName: 'Ada Lovelace' })
    await recoveryCodes(browser)
    const text = readable(await browser.get('/account'))
    for (const part of ['Hello, Ada Lovelace', username, 'password and one-time code', '1 session']) {
      assert.ok(text.includes(part), part)
    }
    assert.match(text, /10 codes are left/)
    assert.match(text, /Latest activity 10 recovery codes made/)
    assert.match(text, /Last changed: \d+ /)
  })

  it('names the groups', async () => {
    const user = await somebody({ groups: ['staff'] })
    assert.match(readable(await user.browser.get('/account')), /Groups staff/)
  })

  it('warns when three recovery codes are left or fewer, and not before', async () => {
    const user = await somebody()
    const codes = await recoveryCodes(user.browser)
    for (const [index, code] of codes.slice(0, 7).entries()) {
      assert.doesNotMatch(readable(await user.browser.get('/account')), /Only \d/, String(index))
      const browser = stranger(world)
      await browser.post('/auth/login/', { username: user.username, password: PASSWORD })
      await expectStatus(browser.post('/auth/verify/', { otp: code }), 200)
      user.browser.cookies.clear()
      for (const [name, value] of browser.cookies) user.browser.cookies.set(name, value)
    }
    assert.match(readable(await user.browser.get('/account')), /Only 3 recovery codes are left/)
  })

  it('warns when there are none', async () => {
    const { browser } = await somebody()
    const { text } = await browser.get('/account')
    assert.match(text, /<div class="notice bad" role="status"><p>You have no recovery codes/)
  })

  it('tells whoever has one factor to set up a second', async () => {
    const optional = await startWorld({ config: { login: { enrolment: 'optional' } } })
    await optional.user('free')
    const browser = optional.browser()
    await browser.post('/auth/login/', { username: 'free', password: PASSWORD })
    assert.match(readable(await browser.get('/account')), /protected by a password alone/)
    const codes = await browser.get('/account/recovery-codes')
    assert.doesNotMatch(codes.text, /action="\/account\/recovery-codes"/)
    const refused = await submit(browser, codes, '/account/recovery-codes')
    assert.equal(locationOf(refused), '/account/devices?notice=codes-first')
    await optional.close()
  })

  it('shows hostile text as text (SEC-WEB-6)', async () => {
    const hostile = `"'><script>alarm()</script>`
    const user = await somebody({ displayName: hostile, groups: ['staff'] })
    const browser = await signIn(world, user, world.browser({ userAgent: hostile }))
    const { devices } = (await browser.get('/auth/devices/')).body
    await browser.patch(`/auth/devices/${devices[0].id}/`, { name: hostile })
    for (const path of pages) {
      const { text } = await browser.get(path)
      assert.doesNotMatch(text, /<script>alarm/, path)
      assert.doesNotMatch(text, /="[^"<]*"'>/, path)
    }
    assert.ok(readable(await browser.get('/account')).includes(`Hello, ${hostile}`))
  })
})

describe('recovery codes', () => {
  it('are made and shown once, and the former set dies (SEC-REC-5)', async () => {
    const user = await somebody()
    const [former = ''] = await recoveryCodes(user.browser)
    const reply = await fillIn(user.browser, '/account/recovery-codes', '/account/recovery-codes')
    assert.equal(reply.status, 200)
    assert.equal(reply.text.match(/<li>[0-9A-Z-]{21}<\/li>/g)?.length, 10)
    assert.match(readable(await user.browser.get('/account/recovery-codes')), /10 codes are left\. Made: \d/)
    const browser = stranger(world)
    await browser.post('/auth/login/', { username: user.username, password: PASSWORD })
    assert.deepEqual(errorOf(await browser.post('/auth/verify/', { otp: former })), [400, 'invalid_otp'])
    const saved = { saved: 'yes', return_to: '/account/devices' }
    const onward = await submit(user.browser, reply, '/account/recovery-codes/saved', saved)
    assert.deepEqual([onward.status, locationOf(onward)], [303, '/account/devices'])
  })

  it('have to be saved before one goes on', async () => {
    const { browser } = await somebody()
    const path = '/account/recovery-codes/saved'
    const reply = await fillIn(browser, '/account', path, { return_to: '/account/devices' })
    assert.equal(reply.status, 422)
    assert.match(readable(reply), /Save the codes first, then tick this box/)
    const again = await submit(browser, reply, path, { saved: 'yes', return_to: '/account/devices' })
    assert.equal(locationOf(again), '/account/devices')
  })

  it('lead nowhere else afterwards (SEC-RED-1)', async () => {
    const { browser } = await somebody()
    for (const target of [
      '//evil.example',
      'https://evil.example/',
      '/\\evil.example',
      'javascript:alarm()',
    ]) {
      const fields = { saved: 'yes', return_to: target }
      const reply = await fillIn(browser, '/account', '/account/recovery-codes/saved', fields)
      assert.equal(locationOf(reply), '/account', target)
    }
  })

  it('need a fresh proof, which leads back (SEC-AUTH-10)', async () => {
    const { browser } = await somebody()
    world.clock.advance(300)
    const reply = await fillIn(browser, '/account/recovery-codes', '/account/recovery-codes')
    assert.equal(locationOf(reply), '/confirm?return_to=%2Faccount%2Frecovery-codes')
  })
})

describe('the password', () => {
  const change = (browser: Browser, current_password: string, new_password: string) =>
    fillIn(browser, '/account/password', '/account/password', { current_password, new_password })

  it('is changed with the current one; the session goes on under a new token (SEC-PW-7, SEC-SES-9)', async () => {
    const user = await somebody()
    const other = await signIn(world, user)
    const before = user.browser.cookies.get(SESSION)
    const reply = await change(user.browser, PASSWORD, 'a wholly different set of words')
    assert.deepEqual([reply.status, locationOf(reply)], [303, '/account?notice=password-changed'])
    assert.notEqual(user.browser.cookies.get(SESSION), before)
    const page = await user.browser.get('/account?notice=password-changed')
    assert.match(readable(page), /Your password was changed\. Your other sessions were ended\./)
    assert.equal(await isSignedIn(other), false)
  })

  it('stays when the current one is wrong, and says so beside the field', async () => {
    const { browser } = await somebody()
    for (const wrong of ['wrong', '', 'x'.repeat(1000)]) {
      const reply = await change(browser, wrong, 'a wholly different set of words')
      assert.equal(reply.status, 422)
      assert.match(reply.text, /id="current_password-error">The current password is not right/)
      assert.ok(!reply.text.includes('a wholly different'))
    }
  })

  it('stays when the new one is not good, and says why beside the field (SEC-PW-12)', async () => {
    const { browser } = await somebody()
    const cases = {
      ...{ short: 'Use at least 8', '': 'Please fill this in', password1: 'among the most used' },
      [PASSWORD]: 'This is the password you have',
    }
    for (const [next, sentence] of Object.entries(cases)) {
      const reply = await change(browser, PASSWORD, next)
      assert.equal(reply.status, 422)
      assert.match(reply.text, new RegExp(`id="new_password-error">[^<]*${sentence}`))
    }
  })

  it('says how long to wait after too many wrong ones', async () => {
    const { browser } = await somebody()
    let reply = await change(browser, 'wrong', 'a wholly different set of words')
    for (let i = 0; i < 20 && reply.status === 422; i++) {
      reply = await change(browser, 'wrong', 'a wholly different set of words')
    }
    assert.equal(reply.status, 429)
    assert.match(reply.headers.get('retry-after') ?? '', /^\d+$/)
    assert.match(readable(reply), /Too many attempts\. Try again in/)
  })

  it('asks for a fresh proof before anything is typed, and again when it is sent (SEC-AUTH-10)', async () => {
    const { browser } = await somebody()
    const page = await browser.get('/account/password')
    world.clock.advance(300)
    const stale = '/confirm?return_to=%2Faccount%2Fpassword'
    assert.equal(locationOf(await browser.get('/account/password')), stale)
    const fields = { current_password: PASSWORD, new_password: 'a wholly different set of words' }
    assert.equal(locationOf(await submit(browser, page, '/account/password', fields)), stale)
  })
})

describe('forms of the account (SEC-CSRF-1)', () => {
  const forms: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    '/account/devices/add': { name: '' },
    '/account/devices/rename': { id: '0'.repeat(26), name: 'x' },
    '/account/devices/remove': { id: '0'.repeat(26) },
    '/account/devices/new': { otp: '000000' },
    '/account/recovery-codes': {},
    '/account/recovery-codes/saved': { saved: 'yes' },
    '/account/sessions/end': { id: '0'.repeat(26) },
    '/account/sessions/end-others': {},
    '/account/password': { current_password: PASSWORD, new_password: 'a wholly different set of words' },
  }
  for (const [path, fields] of Object.entries(forms)) {
    it(`${path} is refused without its key, with a wrong one and with somebody else's`, async () => {
      const [mine, theirs] = [await somebody(), await somebody()]
      const foreign = formKeyIn(await theirs.browser.get('/account'))
      const events = (await world.audit()).length
      for (const key of [{}, { form_token: '' }, { form_token: 'x'.repeat(43) }, { form_token: foreign }]) {
        assert.equal((await postFields(mine.browser, path, { ...fields, ...key })).status, 403)
      }
      assert.equal((await world.audit()).length, events)
    })

    it(`${path} takes no field that it does not know (SEC-INP-1)`, async () => {
      const { browser } = await somebody()
      const reply = await fillIn(browser, '/account', path, { ...fields, extra: 'x' })
      assert.equal(reply.status, 400)
    })
  }
})
