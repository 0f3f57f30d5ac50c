import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { routes } from '../../src/http/api/routes.ts'
import { startServer } from '../../src/http/server.ts'
import { PASSWORD, type Reply, startWorld, type World } from '../world.ts'
import { signIn, stranger } from './journeys.ts'

let world: World
before(async () => {
  world = await startWorld()
})
after(() => world.close())

describe('security headers', () => {
  const check = (reply: Pick<Reply, 'headers' | 'status' | 'text'>, what: string) => {
    const { headers, text } = reply
    const policy = headers.get('content-security-policy') ?? ''
    for (const part of [
      "default-src 'none'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      'sandbox',
    ]) {
      assert.ok(policy.split('; ').includes(part), `${what}: ${part}`)
    }
    assert.equal(headers.get('strict-transport-security'), 'max-age=31536000; includeSubDomains', what)
    assert.equal(headers.get('x-content-type-options'), 'nosniff', what)
    assert.equal(headers.get('referrer-policy'), 'no-referrer', what)
    assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin', what)
    assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin', what)
    // Public keys are published to be kept for a while; nothing else is.
    const kept = text.startsWith('{"keys":') ? 'public, max-age=300' : 'no-store'
    assert.equal(headers.get('cache-control'), kept, what)
    assert.ok(headers.has('permissions-policy'), what)
    for (const name of ['server', 'x-powered-by', 'etag', 'last-modified'])
      assert.equal(headers.has(name), false)
  }

  it('are on every answer, of every status (SEC-WEB-1, SEC-WEB-2, SEC-WEB-3, SEC-WEB-8)', async () => {
    const user = await world.enrolled('headers')
    const nobody = stranger(world)
    const replies: Reply[] = []
    for (const { method, path } of routes) {
      for (const browser of [nobody, user.browser.clone()]) {
        replies.push(await browser.send(path.replace(':id', 'x'), { method, keepCookies: false }))
      }
      replies.push(await nobody.send(path.replace(':id', 'x'), { method: 'PUT' }))
    }
    replies.push(await nobody.get('/nothing/here'))
    replies.push(await nobody.post('/auth/login/', {}, { origin: 'https://evil.example' }))
    replies.push(await nobody.post('/auth/login/', {}, { 'content-type': 'text/plain' }))
    replies.push(await nobody.post('/auth/login/', { username: 'x'.repeat(20_000) }))
    for (let i = 0; i < 7; i++)
      replies.push(await nobody.post('/auth/login/', { username: 'x', password: 'y' }))
    const { hasher } = world.services
    const turns: Disposable[] = []
    for (let turn = hasher.enter(); turn !== undefined; turn = hasher.enter()) turns.push(turn)
    replies.push(await nobody.post('/auth/login/', { username: 'x', password: 'y' }))
    for (const turn of turns) turn[Symbol.dispose]()

    const seen = new Set(replies.map(({ status }) => status))
    for (const status of [200, 400, 401, 403, 404, 405, 413, 415, 429, 503])
      assert.ok(seen.has(status), String(status))
    for (const reply of replies) check(reply, String(reply.status))
  })

  it('are on what cannot even be read as a request (SEC-API-4)', async () => {
    const at = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const
    const server = await startServer(world.app, at, world.edge.securityHeaders)
    const port = Number(new URL(server.address).port)
    const streams = [
      'NONSENSE\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'POST /auth/login/ HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
      'GET / HTTP/1.1\r\nHost : a\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n folded\r\n\r\n',
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(17_000)}\r\n\r\n`,
    ]
    for (const stream of streams) {
      const answer = await new Promise<string>((resolve) => {
        let text = ''
        const socket = connect(port, '127.0.0.1', () => socket.write(stream))
        socket.on('data', (part) => {
          text += part
        })
        socket.on('close', () => resolve(text))
        socket.on('error', () => resolve(text))
      })
      const [head = '', body = ''] = answer.split('\r\n\r\n')
      const [status = '', ...lines] = head.split('\r\n')
      assert.match(status, /^HTTP\/1\.1 4(00|31) /, stream.slice(0, 80))
      const headers = new Headers(lines.map((line) => line.split(': ', 2) as [string, string]))
      check({ status: 400, headers, text: body }, stream.slice(0, 80))
      assert.deepEqual(Object.keys(JSON.parse(body)), ['error', 'code'])
    }
    await server.stop()
  })

  it('name each request, and no two the same', async () => {
    const ids = new Set<string | null>()
    for (let i = 0; i < 20; i++)
      ids.add((await stranger(world).get('/auth/session/')).headers.get('x-request-id'))
    assert.equal(ids.size, 20)
    assert.equal(ids.has(null), false)
  })

  it('name also a request that no route takes, as does the log', async () => {
    const lines: string[] = []
    const logged = await startWorld({ log: (line) => lines.push(line) })
    for (const [path, method, status] of [
      ['/nothing/marker', 'GET', 404],
      ['/auth/session/', 'PUT', 405],
      ['/healthz', 'FOO', 405],
    ] as const) {
      lines.length = 0
      const reply = await stranger(logged).send(path, { method })
      const requestId = reply.headers.get('x-request-id')
      assert.ok(requestId)
      const [line, ...more] = lines.map((each) => JSON.parse(each))
      assert.deepEqual(more, [])
      assert.deepEqual([line.requestId, line.route, line.status], [requestId, 'unknown', status])
      assert.equal(JSON.stringify(line).includes('marker'), false)
    }
    const { text } = await logged.browser({ address: '127.0.0.1' }).get('/metrics')
    assert.match(text, /watchword_http_requests_total\{route="unknown",method="any",status="404"\} 1\n/)
    assert.match(text, /watchword_http_requests_total\{route="unknown",method="any",status="405"\} 2\n/)
    await logged.close()
  })
})

describe('metrics', () => {
  it('are for the listed networks only', async () => {
    for (const [address, status] of [
      ['127.0.0.1', 200],
      ['127.200.0.1', 200],
      ['::1', 200],
      ['::ffff:127.0.0.1', 200],
      ['203.0.113.7', 404],
      ['128.0.0.1', 404],
      ['2001:db8::1', 404],
      ['::2', 404],
    ] as const) {
      const reply = await world.browser({ address }).get('/metrics', { 'x-forwarded-for': '127.0.0.1' })
      assert.equal(reply.status, status, address)
    }
  })

  it('are not for whoever comes through the proxy of a Unix socket', async () => {
    const through = world.browser({ peer: { kind: 'unix' } })
    assert.equal((await through.get('/metrics', { 'x-forwarded-for': '203.0.113.7' })).status, 404)
    assert.equal((await through.get('/metrics')).status, 200)
  })

  it('tell of a listed network of one’s own', async () => {
    const networks = [{ family: 'ipv4', address: '10.1.0.0', prefix: 16 }] as const
    const other = await startWorld({ config: { metrics: { networks } } })
    assert.equal((await other.browser({ address: '10.1.2.3' }).get('/metrics')).status, 200)
    assert.equal((await other.browser({ address: '10.2.2.3' }).get('/metrics')).status, 404)
    assert.equal((await other.browser({ address: '127.0.0.1' }).get('/metrics')).status, 404)
    await other.close()
  })

  it('count sign-ins by outcome and name no user, address or path of anybody (SEC-LOG-3)', async () => {
    const user = await world.enrolled('zaphod-metric')
    await signIn(world, user)
    const browser = stranger(world)
    await browser.post('/auth/login/', { username: 'zaphod-metric', password: 'wrong' })
    await browser.post('/auth/login/', { username: 'trillian-metric', password: PASSWORD })
    await user.browser.delete('/auth/devices/path-marker-metric/')
    await browser.get('/unknown-marker-metric')
    const { text, headers } = await world.browser({ address: '127.0.0.1' }).get('/metrics')
    assert.match(headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    assert.match(text, /watchword_sign_ins_total\{outcome="signed-in"\} \d+/)
    assert.match(text, /watchword_sign_ins_total\{outcome="refused"\} \d+/)
    assert.match(
      text,
      /watchword_http_requests_total\{route="\/auth\/devices\/:id\/",method="DELETE",status="404"\} \d+/,
    )
    for (const marker of ['-metric', '203.0.113', '198.18', user.id])
      assert.equal(text.includes(marker), false, marker)
  })
})
