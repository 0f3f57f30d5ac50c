import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { routes } from '../../src/http/api/routes.ts'
import { PASSWORD, startWorld, type World } from '../world.ts'
import { errorOf, isSignedIn, stranger } from './journeys.ts'

const TAB = '\t'
/** Spellings that some framework or other once let past its checks. */
const refused = [
  'text/plain',
  'text/plain; application/json',
  'text/plain;charset=utf-8',
  'text/json',
  'text/html',
  'multipart/form-data',
  'multipart/form-data; boundary=x',
  'application/json, text/plain',
  'application/json,application/json',
  'application/json;',
  'application/json ;',
  'application/json;charset',
  'application/json;charset=',
  'application/json; charset=utf-16',
  'application/json; charset=latin1',
  'application/json; charset=utf-7',
  'application/json; charset=utf8',
  'application/json; boundary=x',
  'application/json; charset=utf-8; charset=utf-7',
  'application/json; charset=utf-8; x=y',
  'application/json; x=y; charset=utf-8',
  `application/json${TAB};charset=utf-8`,
  `application/json;${TAB}charset=utf-8`,
  `application/json${TAB}x`,
  'application /json',
  'application/ json',
  'application/jsonx',
  'application/json+x',
  'application/vnd.api+json',
  'application/problem+json',
  'application/jsonp',
  'application/json/x',
  'application//json',
  '/json',
  'json',
  '*/*',
  'application/*',
  'application/javascript',
  'application/xml',
  'application/octet-stream',
  'application/x-www-form-urlencodedx',
  'application/x-www-form-urlencoded; charset=iso-8859-1',
  'application/x-www-form-urlencoded, application/json',
  '"application/json"',
  "'application/json'",
  'foo; application/json',
  'x-application/json',
  'charset=utf-8; application/json',
]

const taken = [
  'application/json',
  'Application/JSON',
  'APPLICATION/JSON;CHARSET=UTF-8',
  'application/json;charset=utf-8',
  'application/json; charset=utf-8',
  'application/json; charset="utf-8"',
  'application/json ; charset=utf-8',
]

describe('the type of a body', () => {
  let world: World
  before(async () => {
    world = await startWorld()
    await world.user('typed')
  })
  after(() => world.close())

  const body = JSON.stringify({ username: 'typed', password: PASSWORD })
  const login = (headers: Record<string, string>, text = body) =>
    stranger(world).send('/auth/login/', { method: 'POST', headers, body: text })

  for (const type of refused) {
    it(`is refused when it is ${JSON.stringify(type)} (L-46, L-81, SEC-CSRF-1)`, async () => {
      assert.deepEqual(errorOf(await login({ 'content-type': type })), [415, 'unsupported_media_type'])
    })
  }

  for (const type of taken) {
    it(`is taken when it is ${JSON.stringify(type)}`, async () => {
      assert.equal((await login({ 'content-type': type })).status, 200)
    })
  }

  it('is taken for a form in the spellings that browsers and curl use', async () => {
    const form = new URLSearchParams({ username: 'typed', password: PASSWORD }).toString()
    for (const type of ['', ';charset=UTF-8', '; charset=utf-8']) {
      const reply = await login({ 'content-type': `application/x-www-form-urlencoded${type}` }, form)
      assert.equal(reply.status, 200)
    }
  })

  it('decides how the body is read: JSON is no form and a form is no JSON', async () => {
    const asForm = await login({ 'content-type': 'application/x-www-form-urlencoded' })
    assert.deepEqual(errorOf(asForm), [400, 'invalid_request'])
    const asJson = await login({ 'content-type': 'application/json' }, 'username=typed&password=x')
    assert.deepEqual(errorOf(asJson), [400, 'invalid_request'])
  })

  it('must be said when there is a body', async () => {
    const request = { method: 'POST', body: new TextEncoder().encode(body) }
    assert.deepEqual(errorOf(await stranger(world).send('/auth/login/', request)), [
      415,
      'unsupported_media_type',
    ])
  })

  it('is nothing to compress', async () => {
    for (const encoding of ['gzip', 'br', 'identity', 'x']) {
      const reply = await login({ 'content-type': 'application/json', 'content-encoding': encoding })
      assert.deepEqual(errorOf(reply), [415, 'unsupported_media_type'])
    }
  })

  it('is looked at by every route that takes a body (L-46)', async () => {
    const { browser } = await world.enrolled('everywhere', { isSuperuser: true })
    const { devices } = (await browser.get('/auth/devices/')).body
    for (const { method, path } of routes.filter(({ method }) => method === 'POST' || method === 'PATCH')) {
      for (const type of ['text/plain', 'multipart/form-data; boundary=x', 'application/json;']) {
        const init = { method, body: '{}', headers: { 'content-type': type } }
        const reply = await browser.send(path.replace(':id', devices[0].id), init)
        assert.deepEqual(errorOf(reply), [415, 'unsupported_media_type'], `${method} ${path} ${type}`)
      }
    }
    assert.equal(await isSignedIn(browser), true)
  })
})
