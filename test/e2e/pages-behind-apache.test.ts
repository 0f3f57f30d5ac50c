import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { vhostConfiguration } from '../../src/apache/vhost.ts'
import {
  type Apache,
  type ClientAnswer,
  type ClientRequest,
  request,
  startApache,
  temporaryFolder,
} from '../support/apache.ts'
import { formKeyIn } from '../support/forms.ts'
import { environment, startWatchword, type Watchword } from '../support/watchword.ts'

/** Bytes of a body that both Apache and Watchword take. */
const LARGEST_BODY = 16_384

// What Apache could spoil of a page without anybody at the server noticing: its files, its size, its errors.
describe('the pages of Watchword behind Apache', () => {
  let apache: Apache
  let server: Watchword
  let folder: string
  before(async () => {
    folder = temporaryFolder('ww-pages-')
    const socket = join(folder, 'watchword.sock')
    const logo = join(folder, 'logo.svg')
    writeFileSync(logo, '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>')
    const env = environment(folder, {
      WATCHWORD_LISTEN: `unix:${socket}`,
      WATCHWORD_ORIGIN: 'https://auth.example.com',
      // Apache's workers are of another user here; in production the group of the folder is theirs.
      WATCHWORD_SOCKET_MODE: '666',
      WATCHWORD_BRAND_LOGO: logo,
    })
    server = await startWatchword(folder, env)
    apache = await startApache({
      extraModules: ['filter', 'deflate'],
      // As Debian has it.
      extra: 'AddOutputFilterByType DEFLATE text/html text/javascript',
      vhost: (place) => vhostConfiguration({ ...place, backend: { kind: 'unix', path: socket } }),
    })
  })
  after(async () => {
    await apache?.stop()
    await server?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** As a browser asks. */
  const ask = (path: string, { headers = {}, ...more }: Call = {}): Promise<ClientAnswer> =>
    request({
      ...{ port: apache.httpsPort, serverName: apache.serverName, ca: apache.certificate, path },
      ...more,
      headers: { Accept: 'text/html,*/*;q=0.8', 'Accept-Encoding': 'gzip, deflate, br', ...headers },
    })

  /** Opens the sign-in and sends what was typed there. */
  async function signIn(fields: Readonly<Record<string, string>>): Promise<ClientAnswer> {
    const page = await ask('/login')
    const cookie = String(page.headers['set-cookie']).split(';', 1)[0] ?? ''
    const key = formKeyIn({ text: page.body })
    const body = new URLSearchParams({ form_token: key, step: 'password', ...fields }).toString()
    return ask('/login', { method: 'POST', body, headers: { Cookie: cookie, ...formType } })
  }

  async function fileOfPages(pattern: RegExp): Promise<string> {
    const [path] = pattern.exec((await ask('/login')).body) ?? []
    assert.ok(path, 'no such file on the page')
    return path
  }

  it('arrive with their headers once and are not compressed', async () => {
    const page = await ask('/login')
    assert.deepEqual([page.status, page.headers['content-encoding']], [200, undefined])
    assert.match(page.body, /<main[\s\S]*<\/html>\s*$/)
    hasOnce(page, 'content-type', 'text/html; charset=utf-8')
    hasOnce(page, 'cache-control', 'no-store')
    hasOnce(page, 'referrer-policy', /./)
    hasOnce(page, 'x-frame-options', 'DENY')
    hasOnce(page, 'content-security-policy', /^default-src 'none'; style-src 'sha256-/)
    hasProtection(page)
  })

  it('have a script that browsers keep for ever, that is compressed and is what it says', async () => {
    const path = await fileOfPages(/\/static\/script-[0-9a-f]+\.js/)
    const script = await ask(path, { headers: unpacked })
    assert.equal(script.status, 200)
    assert.match(script.body, /addEventListener/)
    const [head, squeezed] = [await ask(path, { method: 'HEAD' }), await ask(path)]
    assert.deepEqual([head.status, squeezed.status, head.body], [200, 200, ''])
    assert.equal(squeezed.headers['content-encoding'], 'gzip')
    for (const answer of [script, head, squeezed]) {
      hasOnce(answer, 'cache-control', 'public, max-age=31536000, immutable')
      hasOnce(answer, 'content-type', 'text/javascript; charset=utf-8')
      hasProtection(answer)
    }
  })

  it('have a logo that may run nothing', async () => {
    const logo = await ask(await fileOfPages(/\/static\/logo-[0-9a-f]+\.svg/))
    assert.equal(logo.status, 200)
    hasOnce(logo, 'cache-control', 'public, max-age=31536000, immutable')
    hasOnce(logo, 'content-type', 'image/svg+xml')
    hasOnce(logo, 'content-security-policy', /^default-src 'none';.*sandbox$/)
    hasProtection(logo)
  })

  it('have no other file: Watchword itself says that there is nothing', async () => {
    const names = [
      '',
      'script.js',
      'script-000000000000.js',
      'style.css',
      '.env',
      '.git/config',
      'script.js.map',
    ]
    for (const name of [
      ...names,
      '../static/',
      '%2eenv',
      '..;/',
      '%2e%2e/static/.env',
      'logo.svg',
      '~root/',
    ]) {
      const answer = await ask(`/static/${name}`, { headers: unpacked })
      assert.equal(answer.status, 404, name)
      assert.match(answer.body, /<main[\s\S]*There is nothing here/, name)
      hasOnce(answer, 'cache-control', 'no-store')
      hasProtection(answer)
    }
    const program = await ask('/static/none', { headers: { Accept: 'application/json' } })
    assert.deepEqual([program.status, JSON.parse(program.body).code], [404, 'not_found'])
  })

  it('are what is behind an address that leaves /static/, or nothing is', async () => {
    assert.equal((await ask('/static/../login')).status, 200)
    assert.equal((await ask('/static/%2e%2e/login')).headers['content-encoding'], undefined)
    for (const path of ['/static/..%2flogin', '/static/%2e%2e%2f%2e%2e%2fetc/passwd', '/static/..%5c.env']) {
      const { status, body } = await ask(path)
      assert.equal(status, 404, path)
      assert.doesNotMatch(body, /root:|<form/, path)
    }
  })

  it('say what is wrong in their own words: 422, and 429 with how long to wait', async () => {
    const guess = () => signIn({ username: 'nobody', password: 'guess' })
    for (let attempt = 0; attempt < 5; attempt++) {
      const refused = await guess()
      assert.equal(refused.status, 422)
      assert.match(refused.body, /<main[\s\S]*username or the password is not right/)
      hasProtection(refused)
    }
    const throttled = await guess()
    assert.equal(throttled.status, 429)
    assert.match(throttled.body, /<main[\s\S]*\b(?:[1-9]|[12]\d|30) seconds/)
    hasOnce(throttled, 'retry-after', /^(?:[1-9]|[12]\d|30)$/)
    hasProtection(throttled)
  })

  it('say so too when an address, a method or a form is wrong', async () => {
    const bare = { method: 'POST', body: 'a=b', headers: formType }
    const calls: [number, string, Call][] = [
      [404, '/nothing', {}],
      [404, '/nothing', bare],
      [405, '/login', { method: 'DELETE' }],
      [403, '/login', bare],
      [403, '/logout', bare],
      [403, '/language', bare],
      [403, '/login', { ...bare, headers: { ...formType, Origin: 'https://evil.example' } }],
      [413, '/login', { ...bare, body: 'b'.repeat(20_000), headers: { ...formType, ...chunked } }],
    ]
    for (const [status, path, call] of calls) {
      const answer = await ask(path, call)
      assert.equal(answer.status, status, `${call.method} ${path}`)
      assert.match(answer.body, /<main[\s\S]*<h1>/, `${status} ${path}`)
      hasProtection(answer)
    }
  })

  it('take a form of 16 KiB, and no more', async () => {
    const page = await ask('/login')
    const Cookie = String(page.headers['set-cookie']).split(';', 1)[0] ?? ''
    const start = `form_token=${formKeyIn({ text: page.body })}&step=password&username=somebody&password=`
    const send = (length: number) => {
      const body = start.padEnd(length, 'p')
      return ask('/login', { method: 'POST', body, headers: { Cookie, ...formType } })
    }
    // Longer than a password may be, and read all the same.
    for (const length of [1_000, LARGEST_BODY]) {
      const answer = await send(length)
      assert.ok([400, 422].includes(answer.status), `${length}: ${answer.status}`)
      assert.match(answer.body, /<main[\s\S]*<h1>/)
    }
    assert.equal((await send(LARGEST_BODY + 1)).status, 413)
  })
})

type Call = Partial<Pick<ClientRequest, 'method' | 'body'>> & {
  readonly headers?: Readonly<Record<string, string>>
}

const formType = { 'Content-Type': 'application/x-www-form-urlencoded' }
const unpacked = { 'Accept-Encoding': 'identity' }
const chunked = { 'Transfer-Encoding': 'chunked' }

/** The header came, and only once, whoever set it. */
function hasOnce({ rawHeaders }: ClientAnswer, name: string, expected: string | RegExp): void {
  const values = rawHeaders.filter(
    (_, index) => rawHeaders[index - 1]?.toLowerCase() === name && index % 2 === 1,
  )
  assert.equal(values.length, 1, name)
  if (typeof expected === 'string') assert.equal(values[0], expected)
  else assert.match(values[0] ?? '', expected)
}

function hasProtection(answer: ClientAnswer): void {
  hasOnce(answer, 'x-content-type-options', 'nosniff')
  hasOnce(answer, 'strict-transport-security', 'max-age=31536000; includeSubDomains')
}
