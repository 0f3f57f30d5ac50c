import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createApp } from '../../src/http/app.ts'
import { formKeyIn, locationOf, readable, submit } from '../support/forms.ts'
import { PASSWORD, startWorld, type World } from '../world.ts'

let world: World
before(async () => {
  world = await startWorld()
})
after(() => world.close())

const people = { accept: 'text/html,application/xhtml+xml' }

describe('languages', () => {
  const titleIn = async (headers: Record<string, string>) => {
    const { text } = await world.browser().get('/login', headers)
    return [/<html lang="(\w+)"/.exec(text)?.[1], /<h1>(.*?)<\/h1>/.exec(text)?.[1]]
  }

  it('are those that the browser asks for, in its order', async () => {
    assert.deepEqual(await titleIn({}), ['en', 'Sign in'])
    assert.deepEqual(await titleIn({ 'accept-language': 'de-AT,de;q=0.9,en;q=0.8' }), ['de', 'Anmelden'])
    assert.deepEqual(await titleIn({ 'accept-language': 'fr, de;q=0.2, en;q=0.7' }), ['en', 'Sign in'])
    assert.deepEqual(await titleIn({ 'accept-language': 'de;q=0, *' }), ['en', 'Sign in'])
    assert.deepEqual(await titleIn({ 'accept-language': ';;,=,\u00e4' }), ['en', 'Sign in'])
  })

  it('change by the switch, on the page one is on, and stay', async () => {
    const browser = world.browser()
    const page = await browser.get('/login?return_to=/account')
    const here = '/login?return_to=/account'
    const answer = await submit(browser, page, '/language', { language: 'de', return_to: here })
    assert.equal(locationOf(answer), here)
    assert.match((await browser.get('/login')).text, /<html lang="de"/)
    const away = { language: 'en', return_to: 'https://evil.example/' }
    assert.equal(locationOf(await submit(browser, page, '/language', away)), '/')
  })
})

describe('pages that say what went wrong', () => {
  it('are pages for people and JSON for programs', async () => {
    const browser = world.browser()
    const missing = await browser.get('/no/such/page', people)
    assert.equal(missing.status, 404)
    assert.match(readable(missing), /There is nothing here/)
    assert.equal((await browser.get('/no/such/page')).body.code, 'not_found')
    assert.match(readable(await browser.get('/logout', people)), /does not work here/)
  })

  it('tell of a cookie that came twice (SEC-SES-14)', async () => {
    const token = 'a'.repeat(43)
    const cookie = `__Host-watchword-session=${token}; __Host-watchword-session=${token}`
    const answer = await world.browser().get('/login', { cookie })
    assert.equal(answer.status, 400)
    assert.match(readable(answer), /Two cookies of one name/)
  })

  it('send whoever is not signed in to sign in, and back', async () => {
    const answer = await world.browser().get('/confirm?return_to=/account')
    assert.equal(locationOf(answer), '/login?return_to=%2Fconfirm%3Freturn_to%3D%2Faccount')
    assert.equal(locationOf(await world.browser().get('/')), '/login')
  })
})

describe('what pages may load (SEC-WEB-1)', () => {
  it('is their own stylesheet and script, and nothing else', async () => {
    const { headers, text } = await world.browser().get('/login')
    const policy = headers.get('content-security-policy') ?? ''
    assert.match(
      policy,
      /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'self'; img-src 'self' data:; /,
    )
    assert.doesNotMatch(policy, /unsafe/)
    assert.doesNotMatch(text, / style=| on\w+=|https?:\/\//)
  })

  it('may be kept for ever where its name changes with it', async () => {
    const browser = world.browser()
    const [, path = ''] = /<script src="([^"]+)"/.exec((await browser.get('/login')).text) ?? []
    const answer = await world.app.request(`https://auth.example.com${path}`)
    assert.equal(answer.headers.get('cache-control'), 'public, max-age=31536000, immutable')
    assert.equal(answer.headers.get('content-type'), 'text/javascript; charset=utf-8')
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
    assert.match(await answer.text(), /Comfort only/)
  })
})

describe('forms of browsers that do not tell where they come from', () => {
  const send = async (headers: Record<string, string>, path = '/login') => {
    const browser = world.browser()
    const key = formKeyIn(await browser.get('/login'))
    const body = new URLSearchParams({ form_token: key, step: 'password', username: 'x', password: PASSWORD })
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    return browser.send(path, { method: 'POST', headers: { ...form, ...headers }, body: body.toString() })
  }

  it('are taken from our own pages, whose forms come with the origin null (SEC-WEB-3)', async () => {
    assert.equal((await send({ origin: 'null', 'sec-fetch-site': 'same-origin' })).status, 422)
    assert.equal((await send({ origin: 'null' })).status, 422)
  })

  it('are refused from another site, and everywhere that asks for no key (SEC-CSRF-1)', async () => {
    assert.equal((await send({ origin: 'null', 'sec-fetch-site': 'cross-site' })).status, 403)
    assert.equal((await send({ origin: 'https://evil.example' })).status, 403)
    assert.equal((await send({ origin: 'null' }, '/auth/login/')).status, 403)
  })
})

describe('three fields on one page', () => {
  it('signs in at once, and says nothing of what was wrong', async () => {
    const { phone } = await world.enrolled('single')
    const app = createApp({ ...world.edge, singleForm: true })
    const cookies = new Map<string, string>()
    const send = async (path: string, init: RequestInit = {}) => {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const headers = { ...init.headers, ...(cookie !== '' && { cookie }) }
      const url = `https://auth.example.com${path}`
      const peer = { kind: 'tcp', address: '203.0.113.9' } as const
      const answer = await app.request(url, { ...init, headers }, { peer })
      for (const line of answer.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        cookies.set(name, value)
      }
      return { status: answer.status, text: await answer.text(), headers: answer.headers }
    }
    const page = await send('/login')
    const [, key = ''] = /name="form_token" value="([^"]+)"/.exec(page.text) ?? []
    const post = (fields: Record<string, string>) =>
      send('/login', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ form_token: key, step: 'single', ...fields }).toString(),
      })
    assert.match(page.text, /name="username"[\s\S]*name="password"[\s\S]*name="otp"/)
    const wrongCode = await post({ username: 'single', password: PASSWORD, otp: '000000' })
    const wrongPassword = await post({ username: 'single', password: 'another password', otp: phone.code() })
    assert.equal(wrongCode.status, 422)
    assert.equal(wrongCode.text, wrongPassword.text)
    const done = await post({ username: 'single', password: PASSWORD, otp: phone.code() })
    assert.equal(done.status, 303, done.text)
    assert.equal(done.headers.get('location'), '/account')
  })
})

describe('a fresh proof (SEC-AUTH-10)', () => {
  it('replaces the session by a new one and goes back', async () => {
    const { browser, phone } = await world.enrolled('fresh')
    const before = browser.cookies.get('__Host-watchword-session')
    const page = await browser.get('/confirm?return_to=/account/devices')
    const wrong = await submit(browser, page, '/confirm', { password: PASSWORD, otp: '000000' })
    assert.equal(wrong.status, 422)
    const fields = { password: PASSWORD, otp: phone.code(), return_to: '/account/devices' }
    const done = await submit(browser, page, '/confirm', fields)
    assert.equal(locationOf(done), '/account/devices')
    assert.notEqual(browser.cookies.get('__Host-watchword-session'), before)
  })
})
