import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { routes } from '../../src/http/api/routes.ts'
import { type Browser, type Enrolled, PASSWORD, startWorld, type World } from '../world.ts'
import { errorOf, isSignedIn, stranger } from './journeys.ts'

const OWN = 'https://auth.example.com'
/** Origins that are not us, some of them by a hair (SEC-WEB-4). */
const foreign = [
  'null',
  'https://evil.example',
  'http://auth.example.com',
  'https://auth.example.com:8443',
  'https://auth.example.com:443',
  'https://auth.example.com.evil.example',
  'https://evil-auth.example.com',
  'https://auth.example.comevil',
  'https://AUTH.example.com',
  'https://example.com',
  'https://sub.auth.example.com',
  'https://auth.example.com/',
  'https://auth.example.com, https://evil.example',
  'https://user@auth.example.com',
  'auth.example.com',
  '',
  'undefined',
]

describe('a request from the page of another site (SEC-CSRF-1, SEC-AUTH-18)', () => {
  let world: World
  let user: Enrolled
  before(async () => {
    world = await startWorld()
    user = await world.enrolled('victim')
    // Left undone by every refused request below.
    await world.user('plain')
  })
  after(() => world.close())

  const login = (headers: Record<string, string>) =>
    stranger(world).post('/auth/login/', { username: 'plain', password: PASSWORD }, headers)

  for (const site of [undefined, 'same-origin', 'none', 'same-site', 'cross-site', 'Same-Origin', 'x', '']) {
    for (const origin of [undefined, OWN, ...foreign]) {
      const siteIsOurs = site === undefined || site === 'same-origin' || site === 'none'
      const originIsOurs = origin === undefined || origin === OWN
      const served = siteIsOurs && originIsOurs
      const name = `Sec-Fetch-Site ${JSON.stringify(site)} and Origin ${JSON.stringify(origin)}`
      it(`is ${served ? 'not what this is' : 'refused'}: ${name}`, async () => {
        const headers = {
          ...(site !== undefined && { 'sec-fetch-site': site }),
          ...(origin !== undefined && { origin }),
        }
        const reply = await login(headers)
        assert.deepEqual(reply.status, served ? 200 : 403)
        if (served) return
        assert.equal(reply.body.code, 'cross_site')
        assert.equal(reply.setCookies.length, 0)
        assert.equal(reply.headers.get('access-control-allow-origin'), null)
      })
    }
  }

  it('is refused by every route that changes something, whatever the cookies', async () => {
    const { devices } = (await user.browser.get('/auth/devices/')).body
    for (const { method, path } of routes.filter(({ method }) => method !== 'GET')) {
      for (const headers of [
        { 'sec-fetch-site': 'cross-site' },
        { origin: 'https://evil.example' },
        { origin: 'null' },
      ]) {
        const init = { method, headers: { ...headers, 'content-type': 'application/json' }, body: '{}' }
        const reply = await user.browser.send(path.replace(':id', devices[0].id), init)
        assert.deepEqual(errorOf(reply), [403, 'cross_site'], `${method} ${path}`)
      }
    }
    assert.equal(await isSignedIn(user.browser), true)
  })

  it('is refused before its body is read or anything is charged', async () => {
    for (let i = 0; i < 20; i++) {
      const fields = { username: 'plain', password: 'wrong' }
      await stranger(world).post('/auth/login/', fields, { origin: 'https://evil.example' })
    }
    assert.equal((await login({})).status, 200)
  })

  it('may look, but is not told that it may read (SEC-WEB-4)', async () => {
    for (const origin of foreign) {
      const headers = { origin, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }
      const reply = await user.browser.get('/auth/session/', headers)
      for (const name of reply.headers.keys()) assert.equal(name.startsWith('access-control-'), false, name)
    }
  })

  it('gets no leave to ask by a preflight (SEC-WEB-4)', async () => {
    for (const { path } of routes) {
      const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' }
      const init = {
        method: 'OPTIONS',
        headers: { ...headers, 'access-control-request-headers': 'content-type' },
      }
      const reply = await stranger(world).send(path.replace(':id', 'x'), init)
      assert.equal(reply.status, 405)
      for (const name of reply.headers.keys()) assert.equal(name.startsWith('access-control-'), false, name)
    }
  })

  it('is told from our own by the configured origin, not by the Host of the request (SEC-PXY-2)', async () => {
    for (const name of ['host', 'x-forwarded-host', 'x-forwarded-proto', 'forwarded', 'x-original-host']) {
      const reply = await login({ origin: 'https://evil.example', [name]: 'evil.example' })
      assert.deepEqual(errorOf(reply), [403, 'cross_site'], name)
    }
  })
})

describe('on a loopback origin', () => {
  let world: World
  let browser: Browser
  before(async () => {
    world = await startWorld({ config: { origin: 'http://127.0.0.1:8000' } })
    await world.user('dev')
    browser = world.browser()
  })
  after(() => world.close())

  const login = (origin: string) =>
    browser.post('/auth/login/', { username: 'dev', password: PASSWORD }, { origin })

  it('the other names of this machine on the same port are us as well', async () => {
    for (const origin of ['http://127.0.0.1:8000', 'http://localhost:8000', 'http://[::1]:8000']) {
      assert.equal((await login(origin)).status, 200, origin)
    }
  })

  it('another port, scheme or name is not', async () => {
    for (const origin of [
      'http://127.0.0.1:8001',
      'https://127.0.0.1:8000',
      'http://127.0.0.1',
      'http://127.0.0.2:8000',
    ]) {
      assert.deepEqual(errorOf(await login(origin)), [403, 'cross_site'], origin)
    }
  })
})
