import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import tls from 'node:tls'
import { guardedHeaders } from '../../src/apache/guarded-headers.ts'
import { type VhostBackend, vhostConfiguration } from '../../src/apache/vhost.ts'
import {
  type Apache,
  type ClientAnswer,
  type ClientRequest,
  request,
  startApache,
  temporaryFolder,
} from '../support/apache.ts'
import { isInTime } from '../support/pace.ts'

/** What the stand-in for an application saw of a request. */
interface Seen {
  readonly method: string
  readonly url: string
  readonly rawHeaders: readonly string[]
  readonly length: number
}

/** Bytes of a body, and of the headers, that the application takes. */
const applicationLimit = 16_384

/** An application of a few lines that answers with what it saw; it counts what reached it. */
class Echo {
  readonly folder = temporaryFolder('ww-echo-')
  readonly socketPath = join(this.folder, 's')
  requests = 0
  connections = 0
  /** Kept over `stop`, as the address of an application is kept over its restarts. */
  private port = 0
  private readonly open = new Set<Socket>()
  private server = this.create()

  async listen(where: 'unix' | 'tcp'): Promise<VhostBackend> {
    this.server.listen(where === 'unix' ? { path: this.socketPath } : { host: '127.0.0.1', port: this.port })
    await once(this.server, 'listening')
    if (where === 'tcp') {
      this.port = (this.server.address() as AddressInfo).port
      return { kind: 'tcp', host: '127.0.0.1', port: this.port }
    }
    chmodSync(this.socketPath, 0o666)
    return { kind: 'unix', path: this.socketPath }
  }

  /** Ends as a process does: every connection is cut. */
  async stop(): Promise<void> {
    const closed = once(this.server, 'close')
    this.server.close()
    for (const socket of this.open) socket.destroy()
    await closed
    this.server = this.create()
  }

  async remove(): Promise<void> {
    if (this.server.listening) await this.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }

  private create(): http.Server {
    const server = http.createServer((incoming, answer) => {
      this.requests++
      let length = 0
      incoming.on('data', (chunk: Buffer) => {
        length += chunk.length
      })
      incoming.on('end', () => {
        const { method = '', url = '', rawHeaders } = incoming
        answer.statusCode = length > applicationLimit ? 413 : Number(/^\/status\/(\d+)/.exec(url)?.[1] ?? 200)
        if (url.endsWith('with-headers')) {
          answer.setHeader('strict-transport-security', 'max-age=63072000; includeSubDomains')
          answer.setHeader('x-content-type-options', 'nosniff')
        }
        answer.setHeader('content-type', 'application/json')
        answer.end(JSON.stringify({ method, url, rawHeaders, length } satisfies Seen))
      })
    })
    server.on('connection', (socket) => {
      this.connections++
      this.open.add(socket)
      socket.on('close', () => this.open.delete(socket))
    })
    // Answer, then read what is still on its way: a connection that is cut while Apache writes makes it say 502.
    server.on('clientError', (_fault, socket) => {
      if (socket.writableEnded) return
      socket.end(
        'HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
      )
      setTimeout(() => socket.destroy(), 1_000).unref()
    })
    return server
  }
}

type Call = Partial<Omit<ClientRequest, 'ca'>>

const secure = (apache: Apache, call: Call = {}): Promise<ClientAnswer> =>
  request({
    port: apache.httpsPort,
    serverName: apache.serverName,
    ca: apache.certificate,
    path: '/',
    ...call,
  })

const plain = (apache: Apache, call: Call = {}): Promise<ClientAnswer> =>
  request({ port: apache.httpPort, serverName: apache.serverName, path: '/', ...call })

const seenBy = (answer: ClientAnswer): Seen => {
  assert.equal(answer.status, 200, answer.body)
  return JSON.parse(answer.body) as Seen
}

const pairs = (raw: readonly string[]): [string, string][] =>
  raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as [string, string]] : []))

const valuesOf = (raw: readonly string[], name: string): string[] =>
  pairs(raw).flatMap(([key, value]) => (key.toLowerCase() === name ? [value] : []))

/** As an application sees names that folds them into variables. */
const folded = (name: string): string => name.toUpperCase().replaceAll('-', '_')

/** Bytes written as they are over TLS; everything that comes back until the server closes, or is silent for half a second after it began. */
function exchange(apache: Apache, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      port: apache.httpsPort,
      host: '127.0.0.1',
      servername: apache.serverName,
      ca: apache.certificate,
    }
    const socket = tls.connect(options, () => socket.write(bytes))
    let answer = ''
    socket.setTimeout(30_000, () => socket.destroy())
    socket.on('data', (chunk) => {
      socket.setTimeout(500)
      answer += chunk.toString('latin1')
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(answer))
  })
}

/** Names that proxies, load balancers and frameworks use; a second list, so that the first is checked by it. */
const spoofed = `
  X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Forwarded-Port X-Forwarded-Server X-Forwarded-Scheme
  X-Forwarded-Ssl X-Forwarded-By X-Forwarded-Prefix X-Forwarded-Uri X-Forwarded-Method X-Forwarded-Path
  X-Forwarded Forwarded Forwarded-For Via X-Real-IP X-Client-IP X-Cluster-Client-IP X-Originating-IP
  X-Remote-IP X-Remote-Addr Client-IP True-Client-IP CF-Connecting-IP CF-Connecting-IPv6 Fastly-Client-IP
  X-Original-Forwarded-For X-Original-URL X-Original-URI X-Original-Host X-Original-Method X-Rewrite-URL
  X-Host X-Url-Scheme X-Scheme Front-End-Https X-HTTP-Method-Override X-HTTP-Method X-Method-Override
  Proxy Remote-User Remote-Name Remote-Email Remote-Groups Remote-Addr X-Remote-User X-Remote-Groups
  X-Remote-Email X-Forwarded-User X-Forwarded-Email X-Forwarded-Groups X-Forwarded-Preferred-Username
  X-Forwarded-Access-Token X-Auth-Request-User X-Auth-Request-Email X-Auth-Request-Groups
  X-Auth-Request-Access-Token X-Authenticated-User X-Auth-User X-WebAuth-User X-User X-Client-Cert
  X-SSL-Client-Verify X-SSL-Client-DN X-SSL-Client-Cert SSL-Client-Cert X-Forwarded-Client-Cert Client-Cert
`
  .trim()
  .split(/\s+/)

const every = [...new Set([...spoofed, ...guardedHeaders])]

const mixedCase = (name: string): string =>
  [...name].map((letter, index) => (index % 2 === 0 ? letter.toLowerCase() : letter.toUpperCase())).join('')

/** Each way in which a client may try to get a header of this name past Apache. */
function attempts(name: string, value: string): [string, string][][] {
  const underscored = name.replaceAll('-', '_')
  return [
    [[name, value]],
    [[underscored, value]],
    [[name.replace('-', '_'), value]],
    [[name.replace(/-(?=[^-]*$)/, '_'), value]],
    [[mixedCase(name), value]],
    [[mixedCase(underscored), value]],
    [
      [name, value],
      [name.toLowerCase(), `${value}, ${value}`],
    ],
    [
      [name, ''],
      [underscored, value],
    ],
    [
      [name, value],
      [underscored, value],
      ['Connection', `keep-alive, ${name}, ${underscored}, X-Forwarded-For`],
    ],
    [[name, `${value}${'x'.repeat(7_000)}`]],
  ]
}

for (const where of ['unix', 'tcp'] as const) {
  describe(`what an application behind Apache believes (${where})`, () => {
    const echo = new Echo()
    const agent = new https.Agent({ keepAlive: true, maxSockets: 4 })
    let apache: Apache
    before(async () => {
      const backend = await echo.listen(where)
      apache = await startApache({ vhost: (place) => vhostConfiguration({ ...place, backend }) })
    })
    after(async () => {
      agent.destroy()
      await apache.stop()
      await echo.remove()
    })

    /** The application saw exactly what Apache knows. */
    function believesApacheOnly({ rawHeaders }: Seen): void {
      assert.deepEqual(valuesOf(rawHeaders, 'x-forwarded-for'), ['127.0.0.1'])
      assert.deepEqual(valuesOf(rawHeaders, 'x-forwarded-proto'), ['https'])
      assert.deepEqual(valuesOf(rawHeaders, 'host'), [`auth.example.com:${apache.httpsPort}`])
      const guarded = new Set(every.map(folded))
      const told = pairs(rawHeaders).map(([name]) => folded(name))
      assert.deepEqual(told.filter((name) => guarded.has(name)).sort(), [
        'X_FORWARDED_FOR',
        'X_FORWARDED_PROTO',
      ])
    }

    it('passes configtest', () => assert.match(apache.configtest, /^Syntax OK$/m))

    it('gets method, path, query, body and its own headers as they were sent', async () => {
      const headers = {
        Cookie: 'a=b',
        Authorization: 'Bearer x',
        'Sec-Fetch-Site': 'same-origin',
        Origin: 'https://a',
      }
      const seen = seenBy(
        await secure(apache, { method: 'POST', path: '/a%20b/?c=%2F&d', headers, body: 'four' }),
      )
      assert.deepEqual([seen.method, seen.url, seen.length], ['POST', '/a%20b/?c=%2F&d', 4])
      for (const [name, value] of Object.entries(headers)) {
        assert.deepEqual(valuesOf(seen.rawHeaders, name.toLowerCase()), [value])
      }
      believesApacheOnly(seen)
    })

    it('never sees what a client says in the name of a proxy', async () => {
      assert.ok(spoofed.length >= 60)
      const all = every.flatMap((name, index) => attempts(name, `evil-${index}`))
      const before = echo.requests
      await inParallel(4, all, async (headers) => {
        const answer = await secure(apache, { path: '/spoof', headers, agent })
        assert.doesNotMatch(answer.body, /evil-/, JSON.stringify(headers).slice(0, 300))
        believesApacheOnly(seenBy(answer))
      })
      assert.equal(echo.requests - before, all.length)
    })

    it('is told the address even if the client asks Apache to drop it', async () => {
      const wishes = [
        ['close, X-Forwarded-For'],
        ['X-Forwarded-For'],
        ['x-forwarded-for,x-forwarded-proto,host,cookie'],
        ['keep-alive', 'X-Forwarded-For'],
        ['close', 'X-Forwarded-For, Cookie'],
        ['Keep-Alive,\tX-Forwarded-For\t, , Cookie,'],
        ['X-Forwarded-For, close'],
        ['CLOSE,X-Forwarded-For,Host'],
      ]
      for (const wish of wishes) {
        const connection = wish.map((value): [string, string] => ['Connection', value])
        const headers: [string, string][] = [
          ...connection,
          ['X_Forwarded_For', '6.6.6.6'],
          ['Proxy-Connection', 'X-Forwarded-For'],
          ['Cookie', 'kept=1'],
        ]
        const seen = seenBy(await secure(apache, { headers, agent }))
        believesApacheOnly(seen)
        assert.deepEqual(valuesOf(seen.rawHeaders, 'cookie'), ['kept=1'], wish.join(' | '))
      }
    })

    it('sees the configured name whatever name a client asks for', async () => {
      for (const name of [
        'evil.example',
        'evil.example:443',
        '127.0.0.1',
        `auth.example.com:${apache.httpPort}`,
      ]) {
        believesApacheOnly(seenBy(await secure(apache, { headers: { Host: name } })))
      }
      believesApacheOnly(seenBy(await secure(apache, { path: 'https://evil.example/x' })))
    })

    it('keeps the wish of a client to close, and only that', async () => {
      const head = 'GET / HTTP/1.1\r\nHost: auth.example.com\r\n'
      assert.match(
        await exchange(apache, `${head}Connection: close, X-Forwarded-For\r\n\r\n`),
        /\r\nConnection: close\r\n/,
      )
      assert.doesNotMatch(
        await exchange(apache, `${head}Connection: X-Forwarded-For\r\n\r\n`),
        /\r\nConnection: close/,
      )
    })

    it('is asked over few connections', () => {
      assert.ok(
        echo.connections < echo.requests / 10,
        `${echo.connections} connections, ${echo.requests} requests`,
      )
    })

    it('is missed at once when it is gone, and found at once when it is back', async () => {
      await inParallel(8, Array.from({ length: 40 }), async () => void seenBy(await secure(apache)))
      for (let round = 0; round < 3; round++) {
        await echo.stop()
        for (let count = 0; count < 5; count++) {
          const start = performance.now()
          assert.equal((await secure(apache)).status, 503)
          assert.ok(await isInTime(performance.now() - start, 500))
        }
        await echo.listen(where)
        const posts = Array.from({ length: 40 }, (): Call => ({ method: 'POST', body: 'x' }))
        await inParallel(8, posts, async (call) => void seenBy(await secure(apache, call)))
      }
    })
  })
}

describe('the https host', () => {
  const echo = new Echo()
  let apache: Apache
  before(async () => {
    const backend = await echo.listen('unix')
    apache = await startApache({ vhost: (place) => vhostConfiguration({ ...place, backend }) })
  })
  after(async () => {
    await apache.stop()
    await echo.remove()
  })

  it('speaks TLS 1.2 and 1.3', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
      assert.equal(await handshake(apache, { version }), version)
  })

  it('refuses older versions and weak suites', async () => {
    for (const version of ['TLSv1', 'TLSv1.1'] as const) {
      await assert.rejects(
        handshake(apache, { version, ciphers: 'ALL:@SECLEVEL=0' }),
        /alert protocol version/i,
      )
    }
    for (const suite of ['ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA384', 'ECDHE-ECDSA-AES128-CCM8']) {
      const ciphers = `${suite}:@SECLEVEL=0`
      await assert.rejects(handshake(apache, { version: 'TLSv1.2', ciphers }), /handshake failure/i, suite)
    }
  })

  it('gives out no session tickets', async () => {
    const socket = tls.connect({
      ...{ port: apache.httpsPort, host: '127.0.0.1', servername: apache.serverName, ca: apache.certificate },
      maxVersion: 'TLSv1.2',
    })
    await once(socket, 'secureConnect')
    assert.equal(socket.getTLSTicket(), undefined)
    socket.destroy()
  })

  it('refuses TRACE', async () => {
    assert.equal((await secure(apache, { method: 'TRACE' })).status, 405)
    assert.equal((await secure(apache, { method: 'TRACE', headers: { 'Max-Forwards': '0' } })).status, 405)
    assert.equal((await secure(apache, { method: 'TRACE', path: '/static/script.js' })).status, 405)
  })

  it('keeps the numbers of the server from visitors, however they are spelled', async () => {
    const spellings = [
      ...[
        '/metrics',
        '/metrics/',
        '/metrics?x',
        '//metrics',
        '/./metrics',
        '/a/../metrics',
        '/%6detrics',
        '/METRICS',
      ],
      ...[
        '/metrics/x',
        '/metrics//',
        '/static/../metrics',
        '/metric%73/',
        '/%2e/metrics',
        '/metrics%2f',
        '/metrics%00',
      ],
    ]
    const before = echo.requests
    for (const path of spellings) {
      for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS']) {
        const { status } = await secure(apache, { path, method })
        assert.ok([400, 403, 404].includes(status), `${method} ${path}: ${status}`)
      }
    }
    assert.equal((await secure(apache, { path: '/metrics' })).status, 403)
    assert.equal(echo.requests, before)
  })

  it('answers every size with a page or with a clean refusal', async () => {
    const status = async (call: Call): Promise<number> => (await secure(apache, call)).status
    const path = (length: number): string => `/${'a'.repeat(length - 1)}`
    const body = (length: number): Call => ({ method: 'POST', body: 'b'.repeat(length) })
    const chunked = (length: number): Call => ({
      ...body(length),
      headers: { 'Transfer-Encoding': 'chunked' },
    })
    const fields = (count: number, length: number): Call => ({
      headers: Array.from({ length: count }, (_, index): [string, string] => [
        `F${index}`,
        'c'.repeat(length),
      ]),
    })
    // "GET " and " HTTP/1.1" are 13 bytes of the line.
    assert.equal(await status({ path: path(4_094 - 13 - 2) }), 200)
    for (const length of [4_094, 8_200, 100_000])
      assert.equal(await status({ path: path(length) }), 414, `${length}`)
    assert.equal(await status(fields(1, 8_100)), 200)
    for (const length of [8_190, 20_000, 300_000])
      assert.equal(await status(fields(1, length)), 400, `${length}`)
    assert.equal(await status(fields(60, 100)), 200)
    for (const count of [65, 200, 2_000]) assert.equal(await status(fields(count, 10)), 400, `${count}`)
    assert.equal(await status(fields(2, 7_900)), 200)
    for (const length of [300, 1_000, 2_000, 8_000])
      assert.equal(await status(fields(60, length)), 431, `${length}`)
    assert.equal(await status(body(applicationLimit)), 200)
    for (const length of [1, 1_000, 1_000_000])
      assert.equal(await status(body(applicationLimit + length)), 413)
    assert.equal(await status(chunked(applicationLimit)), 200)
    for (const length of [1, 1_000, 1_000_000])
      assert.equal(await status(chunked(applicationLimit + length)), 413)
  })

  it('refuses what is not proper HTTP', async () => {
    const host = 'Host: auth.example.com\r\n'
    const improper = [
      'GET /\r\n',
      `GET / HTTP/1.1\n${host}\r\n`,
      `GET / HTTP/1.1\r\n${host}Foo : bar\r\n\r\n`,
      `GET  / HTTP/1.1\r\n${host}\r\n`,
      `GET / HTTP/1.1\r\n${host}${host}\r\n`,
      'GET / HTTP/1.1\r\n\r\n',
      `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 2\r\n\r\na`,
      `POST / HTTP/1.1\r\n${host}Content-Length: +1\r\n\r\na`,
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    ]
    for (const bytes of improper) {
      const statuses = (await exchange(apache, bytes)).match(/^HTTP\/1\.1 \d+/gm)
      assert.equal(statuses?.length, 1, JSON.stringify(bytes))
      assert.match(statuses?.[0] ?? '', / (400|501|505)$/, JSON.stringify(bytes))
    }
  })

  it('makes one line of a header that was folded', async () => {
    const bytes = 'GET / HTTP/1.1\r\nHost: auth.example.com\r\nFoo: a\r\n X-Forwarded-For: b\r\n\r\n'
    const answer = await exchange(apache, bytes)
    assert.match(answer, /"Foo","a X-Forwarded-For: b"/)
    assert.match(answer, /"X-Forwarded-For","127\.0\.0\.1"/)
  })

  it('has each protective header exactly once on every answer, its own errors included', async () => {
    const calls: [number, Call][] = [
      [200, { path: '/' }],
      [200, { path: '/with-headers' }],
      [401, { path: '/status/401' }],
      [401, { path: '/status/401/with-headers' }],
      [422, { path: '/status/422/with-headers', method: 'POST', body: 'a=b' }],
      [429, { path: '/status/429/with-headers', method: 'POST', body: 'a=b' }],
      [304, { path: '/status/304/with-headers' }],
      [404, { path: '/status/404/with-headers' }],
      [500, { path: '/status/500' }],
      [503, { path: '/status/503/with-headers' }],
      [303, { path: '/status/303/with-headers' }],
      [204, { path: '/status/204/with-headers' }],
      [200, { path: '/with-headers', method: 'HEAD' }],
      [403, { path: '/metrics' }],
      [404, { path: '/a%2fb' }],
      [405, { method: 'TRACE' }],
      [413, { method: 'POST', body: 'b'.repeat(20_000) }],
      [414, { path: `/${'a'.repeat(5_000)}` }],
      [400, { headers: { Big: 'b'.repeat(9_000) } }],
      [417, { headers: { Expect: 'nonsense' } }],
    ]
    for (const [status, call] of calls) {
      const answer = await secure(apache, call)
      assert.equal(answer.status, status, JSON.stringify(call).slice(0, 100))
      assert.equal(
        valuesOf(answer.rawHeaders, 'strict-transport-security').length,
        1,
        JSON.stringify(call).slice(0, 100),
      )
      assert.deepEqual(valuesOf(answer.rawHeaders, 'x-content-type-options'), ['nosniff'])
    }
    for (const bytes of ['GET / HTTP/1.1\r\n\r\n', 'nonsense\r\n\r\n', 'GET / HTTP/9.9\r\nHost: a\r\n\r\n']) {
      assert.equal((await exchange(apache, bytes)).match(/^Strict-Transport-Security:/gim)?.length, 1, bytes)
    }
  })

  it('leaves the choice of the value to the application', async () => {
    const answer = await secure(apache, { path: '/with-headers' })
    assert.equal(answer.headers['strict-transport-security'], 'max-age=63072000; includeSubDomains')
  })

  it('passes every error of the application on with its own body', async () => {
    for (const status of [400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503]) {
      const path = `/status/${status}/with-headers`
      for (const method of ['GET', 'POST']) {
        const answer = await secure(apache, { path, method })
        assert.equal(answer.status, status)
        assert.equal(answer.headers['content-type'], 'application/json')
        assert.equal((JSON.parse(answer.body) as Seen).url, path)
      }
    }
  })

  it('answers a question about the whole server by itself, with nothing', async () => {
    const before = echo.requests
    const answer = await secure(apache, { method: 'OPTIONS', path: '*' })
    assert.deepEqual([answer.status, answer.body, echo.requests], [200, '', before])
  })

  describe('without the application', () => {
    before(async () => {
      for (let count = 0; count < 20; count++) seenBy(await secure(apache))
      await echo.stop()
    })

    it('has each protective header exactly once even so', async () => {
      const answer = await secure(apache)
      assert.equal(answer.status, 503)
      assert.equal(valuesOf(answer.rawHeaders, 'strict-transport-security').length, 1)
      assert.equal(valuesOf(answer.rawHeaders, 'x-content-type-options').length, 1)
    })
  })
})

describe('the virtual hosts on a server with the modules and settings that Debian enables', () => {
  const echo = new Echo()
  const folder = temporaryFolder('ww-files-')
  let apache: Apache
  before(async () => {
    writeFilesOfOthers(folder)
    const backend = await echo.listen('unix')
    const settings = [
      'alias',
      'autoindex',
      'deflate',
      'dir',
      'mime',
      'negotiation',
      'reqtimeout',
      'setenvif',
      'status',
    ]
    apache = await startApache({
      extraModules: [
        ...[
          'auth_basic',
          'authn_core',
          'authn_file',
          'authz_host',
          'authz_user',
          'access_compat',
          'autoindex',
        ],
        ...[
          'deflate',
          'dir',
          'env',
          'filter',
          'mime',
          'negotiation',
          'rewrite',
          'setenvif',
          'status',
          'info',
          'userdir',
        ],
      ],
      extra: [
        ...settings.map((name) => `Include /etc/apache2/mods-available/${name}.conf`),
        'AddOutputFilterByType DEFLATE application/json',
        'UserDir public_html',
        'ProxyErrorOverride On',
        `DocumentRoot "${folder}"`,
        `Alias "/static/" "${folder}/static/"`,
        `<Directory "${folder}">\n  Options Indexes FollowSymLinks\n  Require all granted\n</Directory>`,
        // As the module of a language does it.
        '<FilesMatch "\\.php$">\n  SetHandler server-info\n</FilesMatch>',
        '<Location "/server-info">\n  SetHandler server-info\n  Require local\n</Location>',
      ].join('\n'),
      vhost: (place) => vhostConfiguration({ ...place, backend }),
    })
  })
  after(async () => {
    await apache.stop()
    await echo.remove()
    rmSync(folder, { recursive: true, force: true })
  })

  it('passes configtest', () => assert.match(apache.configtest, /^Syntax OK$/m))

  it('passes everything on, whatever else the server has at that address', async () => {
    for (const path of [
      '/static/',
      '/static/page.css',
      '/static/code.php',
      '/static/.env',
      '/page.css',
      '/icons/',
      '/icons/text.gif',
      '/~root/',
      '/cgi-bin/x',
      '/index.html',
      '/.htaccess',
      '/manual',
    ]) {
      assert.equal(seenBy(await secure(apache, { path })).url, path)
    }
  })

  it('shows nothing of the server itself, not even to the machine', async () => {
    for (const path of [
      '/server-status',
      '/server-status?auto',
      '/server-info',
      '/Server-Status/',
      '//server-status',
    ]) {
      assert.equal((await secure(apache, { path })).status, 403, path)
      const { status, headers } = await plain(apache, { path })
      assert.ok(status === 403 || headers.location?.startsWith('https://auth.example.com:'), path)
    }
  })

  it('takes nothing under /static/ from a disk, however it is asked for', async () => {
    for (const path of pathsAtFiles) {
      const { status, body } = await secure(apache, { path })
      assert.doesNotMatch(body, /marker|Index of/, path)
      if (status === 200) assert.match(body, /^{"method":"GET","url":"/, path)
      else assert.ok([400, 403, 404].includes(status), `${path}: ${status}`)
    }
  })

  it('takes nothing from a disk while the application is gone either', async () => {
    await echo.stop()
    for (const path of [...pathsAtFiles, '/static/page.css']) {
      const { status, body } = await secure(apache, { path })
      assert.doesNotMatch(body, /marker|Index of/, path)
      assert.ok([400, 403, 404, 503].includes(status), `${path}: ${status}`)
    }
    await echo.listen('unix')
  })

  it('passes errors of the application on, even if the rest of the server replaces them', async () => {
    for (const status of [404, 422, 429, 500]) {
      const path = `/status/${status}`
      const answer = await secure(apache, { path, method: 'POST', body: 'a=b' })
      assert.equal(answer.status, status)
      assert.equal((JSON.parse(answer.body) as Seen).url, path)
    }
  })

  it('compresses files, but no answer that may hold a secret', async () => {
    const headers = { 'Accept-Encoding': 'gzip, br' }
    const long = 'a'.repeat(2_000)
    const file = await secure(apache, { path: `/static/${long}/with-headers`, headers })
    assert.equal(file.headers['content-encoding'], 'gzip')
    assert.equal(valuesOf(file.rawHeaders, 'strict-transport-security').length, 1)
    assert.equal(valuesOf(file.rawHeaders, 'x-content-type-options').length, 1)
    for (const path of ['/', '/static', '/static/../', '/static/%2e%2e/', '//', '/Static/', '/a/static/']) {
      const answer = await secure(apache, { path: `${path}${path.endsWith('/') ? '' : '?'}${long}`, headers })
      assert.equal(answer.status, 200, path)
      assert.equal(answer.headers['content-encoding'], undefined, path)
    }
  })
})

/** Where people go; the calls of programs are elsewhere. */
const pages = [
  ...['/login', '/logout', '/language', '/confirm', '/setup', '/invite', '/docs/api'],
  ...['/account', '/account/recovery-codes', '/admin', '/admin/users/a1', '/admin/audit?page=2'],
]

describe('the http host', () => {
  const echo = new Echo()
  let apache: Apache
  before(async () => {
    const backend = await echo.listen('tcp')
    apache = await startApache({ vhost: (place) => vhostConfiguration({ ...place, backend }) })
  })
  after(async () => {
    assert.equal(echo.requests, 0, 'the application was reached without TLS')
    await apache.stop()
    await echo.remove()
  })

  it('sends pages to https, under the configured name only', async () => {
    const target = `https://auth.example.com:${apache.httpsPort}`
    const asked: [string, string][] = [
      ['/', '/'],
      ['/login', '/login'],
      ['/login?next=%2Fa%0d%0ab&c', '/login?next=%2Fa%0d%0ab&c'],
      ...pages.map((page): [string, string] => [page, page]),
      ['/invite?code=x', '/invite?code=x'],
      ['/authority', '/authority'],
      ['/static/script-3bdefe87b137.js', '/static/script-3bdefe87b137.js'],
      ['//evil.example/x', '/evil.example/x'],
      ['/\\evil.example', '/%5cevil.example'],
      ['/%0d%0aSet-Cookie:x', '/%0d%0aSet-Cookie:x'],
      ['http://evil.example/x', '/x'],
    ]
    for (const [path, location] of asked) {
      for (const method of ['GET', 'HEAD']) {
        for (const host of ['auth.example.com', 'evil.example', 'evil.example:80']) {
          const headers = { Host: host, 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https' }
          const answer = await plain(apache, { path, method, headers })
          assert.deepEqual([answer.status, answer.headers.location], [301, target + location])
        }
      }
    }
  })

  it('refuses the calls of programs', async () => {
    const calls = [
      ...[
        '/auth/login/',
        '/auth',
        '/auth/session',
        '/api/v1/users',
        '/openapi.json',
        '/openapi.json/',
        '/metrics',
      ],
      ...[
        '/healthz',
        '/readyz',
        '/AUTH/login/',
        '//auth/login/',
        '/x/../auth/login',
        '/%61uth/login/',
        '/./api',
      ],
    ]
    for (const path of calls) {
      const answer = await plain(apache, { path })
      assert.deepEqual([answer.status, answer.headers.location], [403, undefined], path)
    }
  })

  it('refuses every method that carries data in', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'NONSENSE']) {
      const answer = await plain(apache, { method, path: '/login', headers: { 'Content-Length': '0' } })
      assert.deepEqual([answer.status, answer.headers.location], [403, undefined], method)
    }
  })

  it('refuses every form', async () => {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
    for (const path of pages) {
      const answer = await plain(apache, { method: 'POST', path, headers, body: 'password=x' })
      assert.deepEqual([answer.status, answer.headers.location], [403, undefined], path)
    }
  })

  it('refuses TRACE', async () => {
    for (const path of ['/', '/auth/login/', '/login']) {
      assert.equal((await plain(apache, { method: 'TRACE', path })).status, 405)
    }
  })
})

/** Works through the list with so many at a time; fails with the first that fails. */
async function inParallel<T>(
  workers: number,
  list: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = list.values()
  await Promise.all(
    Array.from({ length: workers }, async () => {
      for (const item of queue) await work(item)
    }),
  )
}

/** The version that was agreed on; rejects with the alert of the server. */
function handshake(
  apache: Apache,
  { version, ciphers }: { version: tls.SecureVersion; ciphers?: string },
): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      ...{ port: apache.httpsPort, host: '127.0.0.1', servername: apache.serverName, ca: apache.certificate },
      ...{ minVersion: version, maxVersion: version },
      ...(ciphers === undefined ? {} : { ciphers }),
    })
    socket.on('error', reject)
    socket.on('secureConnect', () => {
      resolve(socket.getProtocol())
      socket.destroy()
    })
  })
}

/** What another site of the same server may have at the same address: here, it would be seen. */
function writeFilesOfOthers(folder: string): void {
  for (const name of ['static', 'static/.git', 'static/fonts']) mkdirSync(join(folder, name))
  for (const name of [
    'page.css',
    'static/page.css',
    'static/code.php',
    'static/fonts/a',
    'static/.git/config',
  ]) {
    writeFileSync(join(folder, name), 'marker')
  }
  for (const name of ['.env', 'static/.env']) writeFileSync(join(folder, name), 'marker')
  symlinkSync('/', join(folder, 'static/root'))
}

/** Addresses at which a server that looks on a disk would find one of these files, or a folder. */
const pathsAtFiles = [
  ...[
    '/static/',
    '/static/fonts/',
    '/static/fonts',
    '/static/.env',
    '/static/.git/config',
    '/static/fonts/a',
  ],
  ...['/static/%2eenv', '/%73tatic/.env', '//static/.env', '/static//.env', '/./static/.env', '/STATIC/.env'],
  ...['/static/../', '/static/..', '/static/../.env', '/static/%2e%2e/.env', '/static/.%2e/.env'],
  ...[
    '/static/..%2f.env',
    '/static/%2e%2e%2f.env',
    '/static/..%5c.env',
    '/static/..;/.env',
    '/static../.env',
  ],
  ...['/static/%252e%252e/.env', '/static//../.env', '/static/fonts/../../.env', '/static/fonts/..%2f.env'],
  ...['/static/page', '/static/page.css/', '/static/page.css/x', '/static/.env%00.css', '/static/.env%20'],
  ...['/static/root/etc/passwd', '/static/../../../../etc/passwd', '/static/%2e%2e/%2e%2e/etc/passwd'],
]
