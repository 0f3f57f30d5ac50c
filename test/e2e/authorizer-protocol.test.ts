import assert from 'node:assert/strict'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { AuthorizerParams } from '../../src/apache/fastcgi/params.ts'
import { type AuthorizerServer, startAuthorizerServer } from '../../src/apache/fastcgi/server.ts'
import type { AuthorizerAnswer } from '../../src/authorizer/answer.ts'
import {
  type Apache,
  type ClientAnswer,
  type ClientRequest,
  request,
  startApache,
  temporaryFolder,
} from '../support/apache.ts'
import { hostileAnswer } from '../support/fastcgi-answers.ts'
import { SECRET } from '../support/fastcgi-client.ts'
import { chance } from '../support/fastcgi-streams.ts'
import { isInTime } from '../support/pace.ts'

/** Answers of hostile values through Apache (FT-FCGI-4). */
const COUNT = Number(process.env.WW_HOSTILE_ANSWERS ?? 5000)

/** Stands in the protected page, and nowhere else. */
const CANARY = 'canary-of-the-protected-page-93ab'

/** What decides in this test, and what it was asked. */
let decide: (asked: AuthorizerParams) => Promise<AuthorizerAnswer>
let asked: AuthorizerParams[] = []

/** Programs that Apache runs. */
const cgi = temporaryFolder('ww-cgi-')

let authorizer: AuthorizerServer
let apache: Apache

before(async () => {
  authorizer = await startAuthorizerServer({
    ...{ host: '127.0.0.1', port: 0, secret: SECRET },
    handle: (each) => {
      asked.push(each)
      return decide(each)
    },
  })
  for (const name of ['page', 'no-secret', 'wrong-secret']) {
    writeFileSync(
      `${cgi}/${name}`,
      `#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n${CANARY}\\n'; env\n`,
    )
    chmodSync(`${cgi}/${name}`, 0o755)
  }
  apache = await startApache({
    extraModules: ['authn_core', 'authnz_fcgi', 'setenvif', 'cgid'],
    extra: `
AuthnzFcgiDefineProvider authnz Watchword ${authorizer.address}
ScriptSock ${cgi}/cgid
LimitRequestFieldSize 8190`,
    vhost: ({ httpPort, serverName }) => `
<VirtualHost 127.0.0.1:${httpPort}>
  ServerName ${serverName}
  TraceEnable off
  ScriptAlias "/" "${cgi}/"
  <Directory "${cgi}">
    Options +ExecCGI
  </Directory>
${guarded('/page', SECRET)}
${guarded('/no-secret', undefined)}
${guarded('/wrong-secret', `${SECRET}x`)}
</VirtualHost>`,
  })
})
after(async () => {
  await apache?.stop()
  await authorizer?.stop()
  rmSync(cgi, { recursive: true, force: true })
})
beforeEach(() => {
  asked = []
})

/** The lines that guard one place, as they are tried in every test here. */
const guarded = (place: string, secret: string | undefined): string => `
  <Location "${place}">
    SetEnvIf Request_URI "^" WW_POLICY=two-factor
    ${secret === undefined ? '' : `SetEnvIf Request_URI "^" WW_SECRET=${secret}`}
    AuthType Watchword
    AuthName Watchword
    CGIPassAuth On
    AuthnzFcgiCheckAuthnProvider Watchword Authoritative On RequireBasicAuth Off UserExpr "%{reqenv:REMOTE_USER}"
    Require Watchword
    Header always set Content-Type "application/json" "expr=resp('Watchword-Answer') == 'json'"
  </Location>`

const get = (more: Partial<ClientRequest> = {}): Promise<ClientAnswer> =>
  request({ port: apache.httpPort, serverName: apache.serverName, path: '/page', ...more })

const allowBob = async (): Promise<AuthorizerAnswer> => ({
  kind: 'allow',
  user: 'bób',
  variables: { WW_GROUPS: 'staff,wiki' },
})

const variable = ({ body }: ClientAnswer, name: string): string | undefined =>
  new RegExp(`^${name}=(.*)$`, 'm').exec(body)?.[1]

describe('an allow through Apache', () => {
  it('gives the page its user and variables, and neither the secret nor the browser anything else', async () => {
    decide = allowBob
    const answer = await get({ headers: { Cookie: 'ww=x', 'Remote-User': 'root', WW_POLICY: 'none' } })
    assert.equal(answer.status, 200)
    assert.match(answer.body, new RegExp(CANARY))
    assert.equal(variable(answer, 'REMOTE_USER'), 'bób')
    assert.equal(variable(answer, 'WW_GROUPS'), 'staff,wiki')
    assert.ok(!answer.body.includes(SECRET))
    assert.deepEqual(names(answer), [
      ...['connection', 'content-type', 'date', 'server', 'transfer-encoding'],
    ])
    const [one] = asked
    assert.equal(asked.length, 1)
    assert.deepEqual(
      [one?.policy, one?.clientAddress, one?.method, one?.scheme, one?.host, one?.requestUri, one?.cookie],
      ['two-factor', '127.0.0.1', 'GET', 'http', apache.serverName, '/page', 'ww=x'],
    )
  })

  it('tells the authorizer which credentials came, of any method', async () => {
    decide = allowBob
    const basic = `Basic ${Buffer.from('bób:sécret').toString('base64')}`
    for (const method of ['POST', 'PROPFIND', 'OPTIONS', 'HEAD', 'DELETE', 'ANY-OTHER']) {
      await get({ method, headers: { Authorization: basic } })
      const last = asked.at(-1)
      assert.equal(last?.method, method)
      assert.deepEqual(last?.authorization, { kind: 'basic', username: 'bób', password: 'sécret' })
    }
    await get({ headers: { Authorization: 'Bearer abc.def' } })
    assert.deepEqual(asked.at(-1)?.authorization, { kind: 'bearer', token: 'abc.def' })
  })

  it('comes through with 640 KiB of headers', async () => {
    decide = allowBob
    const headers = Array.from({ length: 90 }, (_, i) => [`X-Filling-${i}`, 'v'.repeat(7281)] as const)
    const answer = await get({ headers: [...headers, ['Cookie', 'ww=x']] })
    assert.equal(answer.status, 200)
    assert.equal(asked[0]?.cookie, 'ww=x')
  })
})

describe('any other answer through Apache', () => {
  it('redirects, with cookies', async () => {
    const location = 'https://auth.example.com/login?return_to=http%3A%2F%2Fwww.example.com%2Fpage'
    decide = async () => ({ kind: 'redirect', location, cookies: ['a=b; Path=/; HttpOnly', 'c=d; Path=/'] })
    for (const method of ['GET', 'HEAD', 'POST']) {
      const answer = await get({ method })
      assert.equal(answer.status, 302)
      assert.equal(answer.headers.location, location)
      assert.deepEqual(answer.headers['set-cookie'], ['a=b; Path=/; HttpOnly', 'c=d; Path=/'])
      assert.equal(answer.headers['cache-control'], 'no-store')
      assert.equal(answer.headers['www-authenticate'], undefined)
      assert.ok(!answer.body.includes(CANARY))
    }
  })

  it('denies with a page, in HTML', async () => {
    for (const status of [400, 401, 403, 503] as const) {
      decide = async () => ({ kind: 'deny', status, body: 'page' })
      const answer = await get()
      assert.equal(answer.status, status)
      assert.match(answer.body, /^<!doctype html>/)
      assert.equal(answer.headers['content-type'], 'text/html; charset=iso-8859-1')
    }
  })

  it('denies in JSON, labelled as such by the one line of the configuration', async () => {
    decide = async () => ({ kind: 'deny', status: 401, body: 'json', challenge: 'Bearer', retryAfter: 7 })
    const answer = await get()
    assert.equal(answer.status, 401)
    assert.deepEqual(JSON.parse(answer.body), { error: 'Sign in first.', code: 'not_signed_in' })
    assert.equal(answer.headers['content-type'], 'application/json')
    assert.equal(answer.headers['www-authenticate'], 'Bearer')
    assert.equal(answer.headers['retry-after'], '7')
  })
})

describe('the page stays closed (I3)', () => {
  it('where the secret of the caller is missing or wrong (SEC-FCGI-5)', async () => {
    decide = allowBob
    for (const path of ['/no-secret', '/wrong-secret']) {
      const answer = await get({ path })
      assert.equal(answer.status, 403)
      assert.ok(!answer.body.includes(CANARY))
    }
    assert.deepEqual(asked, [])
  })

  it('within about two seconds where the decision hangs, and opens when it does not (SEC-FCGI-7)', async () => {
    decide = () => new Promise(() => {})
    const started = performance.now()
    const answer = await get()
    const seconds = (performance.now() - started) / 1000
    assert.equal(answer.status, 503)
    assert.ok(seconds > 1.9 && (await isInTime(seconds, 4)), `${seconds} s`)
    assert.ok(!answer.body.includes(CANARY))
    decide = allowBob
    assert.equal((await get()).status, 200)
  })

  it('where the decision fails', async () => {
    decide = async () => {
      throw new Error('storage')
    }
    assert.equal((await get()).status, 503)
  })

  it('and no header is another than was meant, whatever the values are (FT-FCGI-4)', async (t) => {
    const seed = Number(process.env.WW_FUZZ_SEED ?? Date.now() % 2 ** 31)
    const draw = chance(seed)
    const given = Array.from({ length: COUNT }, () => hostileAnswer(draw))
    const statuses = new Map<number, number>()
    decide = async ({ cookie }) => given[Number(cookie)] ?? { kind: 'deny', status: 400, body: 'page' }
    let next = 0
    async function client(): Promise<void> {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
      for (let i = next++; i < COUNT; i = next++) {
        const answer = await get({ agent, headers: { Cookie: String(i) } })
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
        expectMeant(answer, given[i], `seed ${seed}, ${i}`)
      }
      agent.destroy()
    }
    await Promise.all(Array.from({ length: 6 }, client))
    // One decision a request: an internal redirect would have asked again, or served another page.
    assert.equal(asked.length, COUNT)
    const counts = [...statuses].map(([status, count]) => `${count} of ${status}`)
    t.diagnostic(`seed ${seed}: ${COUNT} answers, ${counts.join(', ')}`)
    assert.ok([200, 302, 401, 500].every((status) => (statuses.get(status) ?? 0) > 0))
  })

  it('where nobody answers, and opens by itself when somebody does again (SEC-FCGI-8)', async () => {
    decide = allowBob
    const port = Number(new URL(authorizer.address).port)
    await authorizer.stop()
    const answer = await get()
    assert.equal(answer.status, 500)
    assert.ok(!answer.body.includes(CANARY))
    authorizer = await startAuthorizerServer({
      ...{ host: '127.0.0.1', port, secret: SECRET },
      handle: (each) => decide(each),
    })
    assert.equal((await get()).status, 200)
  })
})

/** What the client got is what was to be said, or a 500 that says nothing of it. */
function expectMeant(answer: ClientAnswer, given: AuthorizerAnswer | undefined, which: string): void {
  const where = `${which}: ${JSON.stringify(given)} gave ${JSON.stringify(answer)}`
  const { status, headers, body } = answer
  assert.ok(status === 500 || status === statusOf(given), where)
  assert.equal(body.includes(CANARY), status === 200, where)
  if (status !== 200) assert.match(body, /^[<{]/, where)
  else assert.equal(variable(answer, 'REMOTE_USER'), given?.kind === 'allow' && given.user, where)
  const location = given?.kind === 'redirect' && status === 302 ? given.location : undefined
  assert.equal(headers.location, location, where)
  assert.deepEqual(headers['set-cookie'] ?? [], status === 500 ? [] : (given?.cookies ?? []), where)
  assert.deepEqual(
    names(answer).filter((name) => !usual.has(name)),
    [],
    where,
  )
}

function statusOf(given: AuthorizerAnswer | undefined): number {
  switch (given?.kind) {
    case 'allow':
      return 200
    case 'redirect':
      return 302
    case 'deny':
      return given.status
    case undefined:
      return 0
  }
}

const names = ({ headers }: ClientAnswer): string[] => Object.keys(headers).toSorted()

/** Headers that an answer may have. */
const usual = new Set([
  ...['connection', 'keep-alive', 'content-type', 'content-length', 'date', 'server', 'transfer-encoding'],
  ...['cache-control', 'location', 'set-cookie', 'www-authenticate', 'retry-after', 'watchword-answer'],
])
