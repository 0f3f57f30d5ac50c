import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { randomFrom } from '../support/path-spellings.ts'
import { type ProtectedWorld, place, startProtected } from '../support/protected.ts'
import { openWire } from '../support/wire.ts'

/** How many requests are denied; 100,000 for a soak. */
const REQUESTS = Number(process.env.WW_DENIED_REQUESTS ?? 5000)
const seed = Number(process.env.WW_FUZZ_SEED ?? Date.now() % 2 ** 31)

/** What is protected is made of this byte alone, and nothing else of an answer has it. */
const CANARY = 0xf7
const protectedBytes = Buffer.alloc(4096, CANARY)

const methods = [
  'GET',
  'GET',
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'OPTIONS',
  'PROPFIND',
  'REPORT',
  'NONSENSE',
]
const paths = [
  '/files/page.bin',
  '/files/',
  '/files/page.bin?a=b',
  '/tools/print',
  '/app/page',
  '//files//page.bin',
]
const fields: readonly (readonly [string, readonly string[]])[] = [
  ['range', ['bytes=0-0', 'bytes=0-99,200-299', 'bytes=-1', 'bytes=9999999-', 'bytes=0-,0-,0-']],
  ['if-none-match', ['*', '"x"', 'W/"1000-0"']],
  ['if-match', ['*', '"x"']],
  ['if-modified-since', ['Thu, 01 Jan 1970 00:00:00 GMT', 'Fri, 01 Jan 2100 00:00:00 GMT']],
  ['if-unmodified-since', ['Thu, 01 Jan 1970 00:00:00 GMT']],
  ['if-range', ['"x"', 'Fri, 01 Jan 2100 00:00:00 GMT']],
  ['accept', ['text/html', '*/*', 'application/json']],
  ['accept-encoding', ['gzip', 'identity']],
  ['cookie', [`__Host-watchword-site=${'A'.repeat(43)}`, '__Host-watchword-site=x; a=b', 'a']],
  ['authorization', ['Basic YWRhOndyb25n', 'Bearer x', 'Basic !']],
  ['sec-fetch-mode', ['navigate', 'cors', 'websocket']],
  ['x-remote-user', ['ada']],
]

// Whoever is not let in gets nothing of what is protected, whatever they ask and however (FT-LEAK-3).
describe(`denied requests, seed ${seed}`, () => {
  const application = http.createServer((_request, response) => response.end(protectedBytes))
  let here: ProtectedWorld
  let cookie = ''

  before(async () => {
    await once(application.listen(0, '127.0.0.1'), 'listening')
    const { port } = application.address() as AddressInfo
    here = await startProtected({
      modules: ['http2', 'autoindex'],
      files(folder) {
        for (const name of ['htdocs/files', 'tools']) mkdirSync(join(folder, name), { recursive: true })
        writeFileSync(join(folder, 'htdocs/files/page.bin'), protectedBytes)
        const program = '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n"\nprintf "\\367%.0s" $(seq 4096)\n'
        writeFileSync(join(folder, 'tools/print'), program)
        chmodSync(join(folder, 'tools/print'), 0o755)
      },
      wiki: (folder) => `
  Protocols h2 http/1.1
  DocumentRoot "${folder}/htdocs"
  ScriptAlias "/tools/" "${folder}/tools/"
  ProxyPass "/app" "http://127.0.0.1:${port}/"
  <Directory "${folder}">
    Require all granted
    Options +Indexes
    DirectoryIndex page.bin
  </Directory>
  ${['/files', '/tools', '/app'].map((path) => place(path, 'two-factor')).join('')}`,
      shop: () => '',
    })
    const { browser } = await here.world.enrolled('ada')
    const visitor = here.visitor(browser)
    await visitor.open(`${here.wiki}/files/page.bin`)
    cookie = `__Host-watchword-site=${visitor.jars.get(here.wiki)?.get('__Host-watchword-site')}`
  })
  after(async () => {
    await here?.close()
    application.closeAllConnections()
    application.close()
  })

  const host = () => new URL(here.wiki).host
  const random = randomFrom(seed)
  const pick = <T>(list: readonly T[]): T => {
    const found = list[Math.floor(random() * list.length)]
    if (found === undefined) throw new Error('an empty list')
    return found
  }
  const ask = () => ({
    method: pick(methods),
    path: pick(paths),
    headers: fields.filter(() => random() < 0.2).map(([name, values]) => [name, pick(values)] as const),
  })

  /** Requests one behind the other on one connection, none of which waits for an answer. */
  async function overOne(requests: readonly ReturnType<typeof ask>[], version: string): Promise<string> {
    const wire = await openWire(here.apache.httpsPort, 'wiki.example.net')
    for (const [at, { method, path, headers }] of requests.entries()) {
      const connection = at === requests.length - 1 ? 'close' : 'keep-alive'
      const lines = [['host', host()], ['connection', connection], ...headers].map(
        ([name, value]) => `${name}: ${value}`,
      )
      wire.write(`${method} ${path} HTTP/${version}\r\n${lines.join('\r\n')}\r\n\r\n`)
    }
    return wire.rest()
  }

  const bytesOf = (answer: string) => Buffer.from(answer, 'latin1').filter((byte) => byte === CANARY).length
  /** 500 is what Apache says when the authorizer does not answer in time, as on a machine with much else to do. */
  const isRefusal = (status: number) => [302, 400, 401, 403, 405, 500, 501].includes(status)

  it('would be seen to leak: a member gets every byte, of files, of programs and of applications', async () => {
    const answer = await overOne(
      ['/files/page.bin', '/files/', '/tools/print', '/app/page'].map((path) => ({
        method: 'GET',
        path,
        headers: [['cookie', cookie]],
      })),
      '1.1',
    )
    assert.equal(bytesOf(answer), 4 * protectedBytes.length)
    const session = connect()
    const whole = await overTwo(session, {
      method: 'GET',
      path: '/files/page.bin',
      headers: [['cookie', cookie]],
    })
    session.close()
    assert.deepEqual(whole, { status: 200, leaked: protectedBytes.length })
  })

  it('leak nothing over HTTP/1.1 and HTTP/1.0, one behind the other on a connection (FT-LEAK-3)', async () => {
    const batch = 10
    let answered = 0
    for (let sent = 0; sent < REQUESTS * 0.8; sent += 8 * batch) {
      const answers = await Promise.all(
        Array.from({ length: 8 }, () =>
          overOne(Array.from({ length: batch }, ask), pick(['1.1', '1.1', '1.1', '1.0'])),
        ),
      )
      for (const answer of answers) {
        assert.equal(bytesOf(answer), 0)
        const statuses = [...answer.matchAll(/^HTTP\/1\.[01] (\d{3})/gm)].map(([, status]) => Number(status))
        assert.deepEqual(
          statuses.filter((status) => !isRefusal(status)),
          [],
        )
        answered += statuses.length
      }
    }
    assert.ok(answered > REQUESTS * 0.4, `${answered} answers`)
  })

  it('leak nothing over HTTP/2 (FT-LEAK-3)', async () => {
    for (let sent = 0; sent < REQUESTS * 0.2; sent += 50) {
      const session = connect()
      const answers = await Promise.all(Array.from({ length: 50 }, () => overTwo(session, ask())))
      session.close()
      for (const { status, leaked } of answers)
        assert.deepEqual([isRefusal(status), leaked], [true, 0], `${status}`)
    }
  })

  const connect = () =>
    http2.connect(`https://127.0.0.1:${here.apache.httpsPort}`, {
      servername: 'wiki.example.net',
      rejectUnauthorized: false,
    })

  async function overTwo(
    session: http2.ClientHttp2Session,
    { method, path, headers }: ReturnType<typeof ask>,
  ) {
    const stream = session.request({
      ...Object.fromEntries(headers),
      ':method': method,
      ':path': path,
      ':authority': host(),
    })
    let status = 0
    let leaked = 0
    stream.on('response', (answer) => {
      status = Number(answer[':status'])
    })
    stream.on('data', (part: Buffer) => {
      leaked += part.filter((byte) => byte === CANARY).length
    })
    stream.end()
    await once(stream, 'close')
    return { status, leaked }
  }
})
