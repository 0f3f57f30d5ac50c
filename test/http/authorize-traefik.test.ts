import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { after, before, describe, it } from 'node:test'
import { type RunningServer, startServer } from '../../src/http/server.ts'
import { blockOf } from '../support/proxies.ts'
import { CALLER_SECRET, type Enrolled, startWorld, type World } from '../world.ts'

const HOST = 'https://wiki.example.net'
const guide = blockOf('yaml', 'forwardAuth')

/** The names under `authResponseHeaders`, and the pairs under `customRequestHeaders`, of the guide. */
const copied = [...guide.matchAll(/^ {10}- (\S+)$/gm)].map(([, name = '']) => name)
const custom = [...guide.matchAll(/^ {10}([\w-]+): "(.*)"$/gm)].map(
  ([, name = '', value = '']) =>
    [name, value.replace('THE CONTENT OF authorizer-secret', CALLER_SECRET)] as const,
)

/**
 * What Traefik does with a request by its documentation of `headers` and `forwardAuth`, in the configuration of the guide:
 * it sets and removes headers, asks with them and with five of its own, and puts those of the answer in place. Traefik
 * itself is no package of Debian.
 */
async function traefik(server: RunningServer, target: string, client: Readonly<Record<string, string>>) {
  const headers = new Map(Object.entries(client))
  for (const [name, value] of custom) value === '' ? headers.delete(name) : headers.set(name, value)
  const asked = new Map([...headers].filter(([name]) => !/^(connection|te|upgrade)$/i.test(name)))
  const own = { For: '203.0.113.7', Method: 'GET', Proto: 'https', Host: 'wiki.example.net', Uri: target }
  for (const [name, value] of Object.entries(own)) asked.set(`X-Forwarded-${name}`, value)
  const { pathname, search } = new URL(/address: "(.*)"/.exec(guide)?.[1] ?? '')
  const request = http.get(`${server.address}${pathname}${search}`, {
    headers: { 'User-Agent': 'Go-http-client/1.1', 'Accept-Encoding': 'gzip', ...Object.fromEntries(asked) },
    agent: false,
  })
  const [answer] = (await once(request, 'response')) as [http.IncomingMessage]
  answer.resume()
  for (const name of answer.statusCode === 204 ? copied : []) {
    const value = answer.headers[name.toLowerCase()]
    headers.delete(name)
    if (typeof value === 'string') headers.set(name, value)
  }
  return { status: answer.statusCode, answer: answer.headers, application: headers }
}

describe('what Traefik asks, as it documents it', () => {
  let world: World
  let server: RunningServer
  let ada: Enrolled
  before(async () => {
    world = await startWorld({ config: { login: { returnOrigins: [HOST] } } })
    server = await startServer(world.app, { kind: 'tcp', host: '127.0.0.1', port: 0 }, {})
    ada = await world.enrolled('ada')
  })
  after(async () => {
    await server?.stop()
    await world?.close()
  })

  it('is answered by a way in, and by who it is for the application (M-07, M-08)', async () => {
    const first = await traefik(server, '/page', { Accept: 'text/html' })
    assert.equal(first.status, 302)
    const { pathname, search } = new URL(String(first.answer.location))
    const { headers } = await ada.browser.get(pathname + search, { accept: 'text/html' })
    const back = new URL(headers.get('location') ?? '')
    const wait = String(first.answer['set-cookie']).split(';')[0] ?? ''
    const entered = await traefik(server, back.pathname + back.search, { Accept: 'text/html', Cookie: wait })
    assert.deepEqual([entered.status, entered.answer.location], [302, `${HOST}/page`])
    const site = entered.answer['set-cookie']?.[0]?.split(';')[0] ?? ''
    const { status, application } = await traefik(server, '/page', {
      Accept: 'text/html',
      Cookie: `${site}; theirs=1`,
      Authorization: 'Bearer theirs',
      'X-Remote-User': 'root',
      X_Remote_User: 'root',
      'X-Watchword-Secret': 'forged',
      'X-Forwarded-Host': 'other.example',
    })
    assert.equal(status, 204)
    assert.deepEqual(Object.fromEntries(application), {
      Accept: 'text/html',
      Cookie: 'theirs=1',
      Authorization: 'Bearer theirs',
      'X-Remote-User': 'ada',
      'X-Remote-Groups': '',
      'X-Watchword-Amr': 'pwd,otp',
      'X-Watchword-User-Id': ada.id,
      'X-Forwarded-Host': 'other.example',
    })
  })
})
