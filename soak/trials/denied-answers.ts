import { once } from 'node:events'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { place, startProtected } from '../../test/support/protected.ts'
import { openWire } from '../../test/support/wire.ts'
import type { Random } from '../support/random.ts'
import type { Trial } from '../support/trial.ts'

const REQUESTS = 100
/** Of these, over HTTP/2. */
const OVER_TWO = 20

/** What is protected is made of this byte alone, and nothing else of an answer has it. */
const CANARY = 0xf7
const protectedBytes = Buffer.alloc(4096, CANARY)

/** Whoever is not let in gets nothing of what is protected, whatever they ask and however. */
export const deniedAnswers: Trial = {
  id: 'FT-LEAK-3',
  name: 'denied-answers',
  holds: 'What is answered to a request that is denied has no byte of what is protected (I3).',
  rounds: `batches of ${REQUESTS} requests`,
  sizes: { ci: 40, soak: 1000, release: 1000 },
  needs: ['requests denied', 'of these over HTTP/2', 'protected bytes that a member got'],
  patience: 300,
  async begin() {
    const here = await startHere()
    return {
      round: (_, random) => oneRound(here, random),
      async end() {
        await here.close()
        return undefined
      },
    }
  },
}

interface Here {
  readonly port: number
  readonly host: string
  /** Of a member. */
  readonly cookie: string
  readonly close: () => Promise<void>
}

interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: readonly (readonly [string, string])[]
}

async function startHere(): Promise<Here> {
  const application = http.createServer((_request, response) => response.end(protectedBytes))
  await once(application.listen(0, '127.0.0.1'), 'listening')
  const { port } = application.address() as AddressInfo
  const here = await startProtected({
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
  const visitor = here.visitor((await here.world.enrolled('ada')).browser)
  await visitor.open(`${here.wiki}/files/page.bin`)
  return {
    port: here.apache.httpsPort,
    host: new URL(here.wiki).host,
    cookie: `__Host-watchword-site=${visitor.jars.get(here.wiki)?.get('__Host-watchword-site')}`,
    async close() {
      await here.close()
      application.closeAllConnections()
      application.close()
    },
  }
}

async function oneRound(here: Here, random: Random) {
  const violations: string[] = []
  const counts = { 'requests denied': 0, 'of these over HTTP/2': 0, 'protected bytes that a member got': 0 }
  const overWire = Array.from({ length: REQUESTS - OVER_TWO }, () => ask(random))
  const lanes = Array.from({ length: 8 }, (_, lane) => overWire.filter((_each, at) => at % 8 === lane))
  const answers = await Promise.all(
    lanes.map((asked) => overOne(here, asked, random.pick(['1.1', '1.1', '1.1', '1.0']))),
  )
  for (const answer of answers) {
    if (bytesOf(answer) > 0) violations.push(`${bytesOf(answer)} protected bytes came over HTTP/1`)
    const statuses = [...answer.matchAll(/^HTTP\/1\.[01] (\d{3})/gm)].map(([, status]) => Number(status))
    counts['requests denied'] += statuses.length
    for (const status of statuses) if (!isRefusal(status)) violations.push(`a request was answered ${status}`)
  }
  const session = connect(here)
  const overTwo = await Promise.all(
    Array.from({ length: OVER_TWO }, () => overSession(here, session, ask(random))),
  )
  session.close()
  for (const { status, leaked } of overTwo) {
    if (leaked > 0) violations.push(`${leaked} protected bytes came over HTTP/2`)
    if (!isRefusal(status)) violations.push(`a request over HTTP/2 was answered ${status}`)
    counts['requests denied']++
    counts['of these over HTTP/2']++
  }
  // Files, programs and applications would be seen to leak.
  const members = ['/files/page.bin', '/files/', '/tools/print', '/app/page'].map((path) => ({
    ...{ method: 'GET', path },
    headers: [['cookie', here.cookie] as const],
  }))
  const got = bytesOf(await overOne(here, members, '1.1'))
  counts['protected bytes that a member got'] += got
  if (got !== members.length * protectedBytes.length) violations.push(`a member got ${got} bytes`)
  return { counts, violations }
}

/** Requests one behind the other on one connection, none of which waits for an answer. */
async function overOne({ port, host }: Here, requests: readonly Asked[], version: string): Promise<string> {
  const wire = await openWire(port, 'wiki.example.net')
  for (const [at, { method, path, headers }] of requests.entries()) {
    const connection = at === requests.length - 1 ? 'close' : 'keep-alive'
    const lines = [['host', host], ['connection', connection], ...headers].map(
      ([name, value]) => `${name}: ${value}`,
    )
    wire.write(`${method} ${path} HTTP/${version}\r\n${lines.join('\r\n')}\r\n\r\n`)
  }
  return wire.rest()
}

const connect = ({ port }: Here) =>
  http2.connect(`https://127.0.0.1:${port}`, { servername: 'wiki.example.net', rejectUnauthorized: false })

async function overSession(
  { host }: Here,
  session: http2.ClientHttp2Session,
  { method, path, headers }: Asked,
) {
  const stream = session.request({
    ...Object.fromEntries(headers),
    ':method': method,
    ':path': path,
    ':authority': host,
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

const bytesOf = (answer: string) => Buffer.from(answer, 'latin1').filter((byte) => byte === CANARY).length

/** 500 is what Apache says when the authorizer does not answer in time, as on a machine with much else to do. */
const isRefusal = (status: number) => [302, 400, 401, 403, 405, 500, 501].includes(status)

const ask = (random: Random): Asked => ({
  method: random.pick(methods),
  path: random.pick(paths),
  headers: fields
    .filter(() => random.below(5) === 0)
    .map(([name, values]) => [name, random.pick(values)] as const),
})

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
