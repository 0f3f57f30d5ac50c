import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientRequest, request } from 'node:http'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { routes } from '../../src/http/api/routes.ts'
import { type RunningServer, startServer } from '../../src/http/server.ts'
import { PASSWORD, startWorld, type World } from '../world.ts'
import { errorOf, isSignedIn, SESSION, stranger } from './journeys.ts'

const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'PROPFIND',
  'PROPPATCH',
  'MKCOL',
  'COPY',
]
const MORE = ['MOVE', 'LOCK', 'UNLOCK', 'SEARCH', 'REPORT', 'PURGE', 'LINK', 'UNLINK', 'QUERY', 'FOO']

describe('methods', () => {
  let world: World
  let server: RunningServer
  before(async () => {
    world = await startWorld()
    server = await startServer(
      world.app,
      { kind: 'tcp', host: '127.0.0.1', port: 0 },
      world.edge.securityHeaders,
    )
  })
  after(async () => {
    await server.stop()
    await world.close()
  })

  /** What the real server answers, for what a fetch would not send. */
  const raw = (method: string, path: string, { headers = {}, body = '' } = {}) =>
    new Promise<{ status: number; headers: Record<string, unknown>; text: string }>((resolve, reject) => {
      const sent: ClientRequest = request(
        `${server.address}${path}`,
        { method, headers, agent: false },
        (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (part) => {
            text += part
          })
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
          )
        },
      )
      sent.on('error', reject)
      sent.end(body)
    })

  const paths = [...new Set(routes.map(({ path }) => path))]

  for (const path of paths) {
    it(`that ${path} does not take are refused with those it takes (SEC-API-1)`, async () => {
      const own: string[] = routes.filter((route) => route.path === path).map(({ method }) => method)
      const taken = own.includes('GET') ? ['HEAD', ...own] : own
      for (const spelling of [path, path.replace(/(?<=.)\/$/, '')]) {
        const address = spelling.replace(':id', 'x')
        for (const method of [...METHODS, ...MORE].filter((each) => !taken.includes(each))) {
          const reply = await stranger(world).send(address, { method })
          assert.equal(reply.status, 405, `${method} ${address}`)
          assert.deepEqual(reply.headers.get('allow')?.split(', ').toSorted(), taken.toSorted())
          if (method !== 'HEAD') assert.deepEqual(errorOf(reply), [405, 'method_not_allowed'])
        }
        const { status, headers } = await raw('TRACE', address, { headers: { 'x-secret': 'echo' } })
        assert.equal(status, 405)
        assert.deepEqual(String(headers.allow).split(', ').toSorted(), taken.toSorted())
      }
    })
  }

  it('HEAD answers as GET without the body', async () => {
    const { browser } = await world.enrolled('header')
    for (const path of ['/auth/session/', '/auth/devices/', '/openapi.json', '/healthz']) {
      const [head, get] = [await browser.send(path, { method: 'HEAD' }), await browser.get(path)]
      assert.deepEqual([head.status, head.text], [get.status, ''])
    }
    assert.equal((await stranger(world).send('/auth/session/', { method: 'HEAD' })).status, 401)
  })

  it('TRACE says nothing back', async () => {
    const { text } = await raw('TRACE', '/auth/session/', { headers: { cookie: 'a=secret-marker' } })
    assert.equal(text.includes('secret-marker'), false)
  })

  it('CONNECT opens no tunnel, and says so (FT-PATH-1)', async () => {
    const outcome = await new Promise((resolve) => {
      const sent = request(server.address, { method: 'CONNECT', path: 'example.com:443', agent: false })
      sent.on('connect', (response, socket) => {
        socket.destroy()
        resolve(response.statusCode)
      })
      sent.on('response', (response) => resolve(response.statusCode))
      sent.on('error', resolve)
      sent.end()
    })
    assert.equal(outcome, 501)
    // A reset just then is nobody's fault.
    const { hostname, port } = new URL(server.address)
    for (let count = 0; count < 20; count++) {
      const socket = connect(Number(port), hostname)
      await once(socket, 'connect')
      socket.write('CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\nmore', () =>
        socket.resetAndDestroy(),
      )
      await once(socket, 'close')
    }
    assert.equal((await raw('GET', '/healthz')).status, 200)
  })

  it('of override headers and fields are not looked at (SEC-CSRF-1)', async () => {
    const { browser } = await world.enrolled('overridden')
    for (const name of [
      'x-http-method-override',
      'x-http-method',
      'x-method-override',
      'x-original-method',
      '_method',
    ]) {
      const reply = await browser.send('/auth/sessions/', { method: 'POST', headers: { [name]: 'DELETE' } })
      assert.deepEqual(errorOf(reply), [405, 'method_not_allowed'])
      const got = await browser.get('/auth/sessions/?_method=DELETE', { [name]: 'DELETE' })
      assert.equal(got.body.sessions.length, 1)
      const logout = await browser.send('/auth/session/', { method: 'GET', headers: { [name]: 'POST' } })
      assert.equal(logout.status, 200)
    }
    assert.equal(await isSignedIn(browser), true)
  })

  it('GET changes nothing, whatever its body says (SEC-CSRF-1, SEC-SES-10)', async () => {
    const { browser } = await world.enrolled('getter')
    const cookie = `${SESSION}=${browser.cookies.get(SESSION)}`
    const headers = { cookie, 'content-type': 'application/json', host: 'auth.example.com' }
    const body = JSON.stringify({ username: 'getter', password: PASSWORD })
    for (const path of ['/auth/logout/', '/auth/login/', '/auth/password/']) {
      const length = { 'content-length': String(body.length) }
      assert.equal((await raw('GET', path, { headers: { ...headers, ...length }, body })).status, 405)
    }
    for (const path of ['/auth/session/', '/auth/recovery-codes/']) {
      const length = { 'content-length': '5' }
      assert.equal(
        (await raw('GET', path, { headers: { ...headers, ...length }, body: '{"x":' })).status,
        200,
      )
    }
    assert.equal((await browser.get('/auth/recovery-codes/')).body.remaining, 0)
    assert.equal(await isSignedIn(browser), true)
  })
})
