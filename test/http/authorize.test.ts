import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { after, before, describe, it } from 'node:test'
import { disableUser } from '../../src/actions/disable-user.ts'
import { makeAppPasswordFor } from '../../src/actions/make-app-password.ts'
import { startServer } from '../../src/http/server.ts'
import { ownPolicies } from '../support/proxies.ts'
import { CALLER_SECRET, type Enrolled, PASSWORD, startWorld, type World } from '../world.ts'

const HOST = 'https://wiki.example.net'
const operator = { operator: 'test' }

type Headers = Readonly<Record<string, string | undefined>>

/** As a proxy tells it of a person who opens a page. */
const usual: Headers = {
  'x-watchword-secret': CALLER_SECRET,
  'x-forwarded-for': '203.0.113.7',
  'x-forwarded-method': 'GET',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'wiki.example.net',
  'x-forwarded-uri': '/page?a=1',
  accept: 'text/html',
}

describe('what nginx, Caddy and Traefik are answered', () => {
  let world: World
  let ada: Enrolled
  before(async () => {
    world = await startWorld({ config: { login: { returnOrigins: [HOST] }, policies: ownPolicies } })
    ada = await world.enrolled('ada')
  })
  after(() => world.close())

  async function ask(headers: Headers = {}, query = 'policy=two-factor', method = 'GET') {
    const given = Object.entries({ ...usual, ...headers }).filter(([, value]) => value !== undefined)
    const response = await world.app.request(
      `https://auth.example.com/api/authorize?${query}`,
      { method, headers: given as [string, string][] },
      { peer: { kind: 'tcp', address: '127.0.0.1' } },
    )
    assert.equal(response.headers.get('cache-control'), 'no-store')
    return { status: response.status, headers: response.headers, body: await response.text() }
  }

  /** Signs in by the way of a browser; gives the cookie of the host. */
  async function enter({ browser }: Pick<Enrolled, 'browser'>): Promise<string> {
    const sent = await ask()
    const wait = pair(sent.headers)
    const { pathname, search } = new URL(sent.headers.get('location') ?? '')
    const { headers } = await browser.get(pathname + search, { accept: 'text/html' })
    const back = new URL(headers.get('location') ?? '')
    const entered = await ask({ 'x-forwarded-uri': back.pathname + back.search, cookie: wait })
    assert.deepEqual([entered.status, entered.headers.get('location')], [302, `${HOST}/page?a=1`])
    return pair(entered.headers)
  }
  const pair = (headers: globalThis.Headers) => headers.getSetCookie()[0]?.split(';')[0] ?? ''

  describe('who asks', () => {
    it('shows the secret, and learns nothing without (SEC-FCGI-5)', async () => {
      const cookie = await enter(ada)
      const wrong = [
        undefined,
        '',
        'x',
        CALLER_SECRET.slice(1),
        CALLER_SECRET.toUpperCase(),
        `${CALLER_SECRET}x`,
      ]
      const answers = new Set<string>()
      for (const secret of [...wrong, `${CALLER_SECRET}, ${CALLER_SECRET}`]) {
        for (const policy of ['two-factor', 'unheard-of']) {
          const { status, headers, body } = await ask(
            { 'x-watchword-secret': secret, cookie },
            `policy=${policy}`,
          )
          assert.equal(status, 403)
          assert.deepEqual([headers.get('x-remote-user'), headers.get('set-cookie')], [null, null])
          answers.add(body)
        }
      }
      assert.equal(answers.size, 1)
      assert.equal((await ask({ cookie })).status, 204)
    })

    it('names one policy that there is (SEC-FCGI-4)', async () => {
      const cookie = await enter(ada)
      for (const query of [
        ...[
          '',
          'policy=',
          'policy=unheard-of',
          'policy=../two-factor',
          'policy=two-factor%20',
          'Policy=two-factor',
        ],
        ...[
          'policy=two-factor&policy=two-factor',
          'policy=two-factor&more=1',
          'policy=two-factor&proxy=apache',
        ],
        ...['policy=two-factor&proxy=nginx&proxy=nginx', 'policy=%ff', 'policy=two-factor%00'],
      ]) {
        assert.equal((await ask({ cookie }, query)).status, 403, query)
      }
    })

    it('says each fact once, and well-formed (SEC-FCGI-4, FT-HDR-1)', async () => {
      const cookie = await enter(ada)
      const malformed: readonly [string, readonly (string | undefined)[]][] = [
        [
          'x-forwarded-for',
          [undefined, '', 'unknown', '203.0.113.7, 10.0.0.1', '203.0.113.7:80', '[::1]', '1.2.3'],
        ],
        ['x-forwarded-method', [undefined, '', 'GET, GET', 'G ET']],
        ['x-forwarded-proto', [undefined, '', 'ftp', 'https, https', 'HTTPS']],
        [
          'x-forwarded-host',
          [undefined, '', 'wiki.example.net, wiki.example.net', 'a@wiki.example.net', 'other.example'],
        ],
        ['x-forwarded-uri', [undefined, '', '/a, /b', '/a b', '/\x01']],
      ]
      for (const [name, values] of malformed) {
        for (const value of values) {
          const { status, headers } = await ask({ cookie, [name]: value })
          assert.equal(status, 403, `${name}: ${value}`)
          assert.equal(headers.get('x-remote-user'), null)
        }
      }
      assert.equal((await ask({ cookie, 'x-forwarded-for': '2001:db8::1' })).status, 204)
    })

    it('cannot say a fact twice on the wire either', async () => {
      const cookie = await enter(ada)
      const server = await startServer(world.app, { kind: 'tcp', host: '127.0.0.1', port: 0 }, {})
      const statusOf = async (more: readonly string[]) => {
        const headers = Object.entries({ host: 'localhost', cookie, ...usual }).flat() as string[]
        const request = http.get(`${server.address}/api/authorize?policy=two-factor`, {
          headers: [...headers, ...more],
          agent: false,
        })
        const [answer] = (await once(request, 'response')) as [http.IncomingMessage]
        answer.resume()
        return answer.statusCode
      }
      try {
        assert.equal(await statusOf([]), 204)
        for (const name of Object.keys(usual).filter((each) => each.startsWith('x-'))) {
          assert.equal(await statusOf([name, usual[name] ?? '']), 403, name)
        }
        // What is spelled with underscores is another header, and says nothing.
        assert.equal(await statusOf(['X_Forwarded_Host', 'other.example', 'X_Watchword_Secret', 'x']), 204)
      } finally {
        await server.stop()
      }
    })

    it('asks by GET', async () => {
      for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND']) {
        const { status, headers } = await ask({}, undefined, method)
        assert.deepEqual([status, headers.get('allow')], [405, 'HEAD, GET'], method)
      }
    })
  })

  it('tells who was let in, and gives back the headers of the request without what is ours', async () => {
    const { browser } = ada
    const site = await enter(ada)
    const portal = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const { status, headers, body } = await ask({
      cookie: `a=1; ${site}; ${portal};b="2"`,
      authorization: 'Bearer x',
    })
    assert.deepEqual([status, body], [204, ''])
    assert.deepEqual(
      [
        'x-remote-user',
        'x-remote-groups',
        'x-watchword-amr',
        'x-watchword-user-id',
        'cookie',
        'authorization',
      ].map((name) => headers.get(name)),
      ['ada', '', 'pwd,otp', ada.id, 'a=1;b="2"', 'Bearer x'],
    )
    assert.equal(headers.get('set-cookie'), null)
    // Of our own origin, not of the one that the browser is at.
    assert.equal(headers.get('strict-transport-security'), null)
    assert.equal((await ask({ cookie: site })).headers.get('cookie'), null)
  })

  it('writes names in UTF-8, as for Apache', async () => {
    const person = await world.enrolled('žofia')
    const { headers } = await ask({ cookie: await enter(person) })
    assert.equal(Buffer.from(headers.get('x-remote-user') ?? '', 'latin1').toString(), 'žofia')
  })

  it('sends a person to our pages, and gives Caddy and Traefik the whole answer', async () => {
    const { status, headers, body } = await ask()
    assert.equal(status, 302)
    assert.match(
      headers.get('location') ?? '',
      /^https:\/\/auth\.example\.com\/enter\?to=https%3A%2F%2Fwiki\./,
    )
    assert.match(
      headers.getSetCookie().join(),
      /^__Host-watchword-wait=[\w-]{43}; Max-Age=3600; Path=\/; HttpOnly/,
    )
    assert.match(body, /^<!doctype html>/)
  })

  it('gives nginx a 401 with the address in a header, and what is needed in the first cookie', async () => {
    const query = 'policy=two-factor&proxy=nginx'
    const sent = await ask({}, query)
    assert.deepEqual([sent.status, sent.headers.get('location')], [401, null])
    const { pathname, search } = new URL(sent.headers.get('x-watchword-location') ?? '')
    const { headers } = await ada.browser.get(pathname + search, { accept: 'text/html' })
    const back = new URL(headers.get('location') ?? '')
    const entered = await ask(
      { 'x-forwarded-uri': back.pathname + back.search, cookie: pair(sent.headers) },
      query,
    )
    assert.deepEqual([entered.status, entered.headers.get('x-watchword-location')], [401, `${HOST}/page?a=1`])
    const [first = '', ...others] = entered.headers.getSetCookie()
    assert.match(first, /^__Host-watchword-site=/)
    assert.equal((await ask({ cookie: first.split(';')[0] }, query)).status, 204)
    // The others only tidy up.
    assert.ok(others.every((line) => line.includes('; Max-Age=0')))
  })

  it('gives scripts JSON and programs a challenge, by any proxy', async () => {
    for (const query of ['policy=two-factor', 'policy=two-factor&proxy=nginx']) {
      const script = await ask({ 'sec-fetch-mode': 'cors' }, query)
      assert.deepEqual([script.status, JSON.parse(script.body).code], [401, 'not_signed_in'])
      assert.match(script.headers.get('content-type') ?? '', /^application\/json/)
      assert.deepEqual(
        ['x-watchword-answer', 'www-authenticate', 'x-watchword-location'].map((name) =>
          script.headers.get(name),
        ),
        ['json', null, null],
      )
      const program = await ask({ accept: '*/*' }, query)
      assert.deepEqual(
        [program.status, program.headers.get('www-authenticate')],
        [401, 'Basic realm="Watchword", charset="UTF-8"'],
      )
      assert.match(program.headers.get('content-type') ?? '', /^text\/html/)
    }
    for (const method of ['POST', 'PUT', 'DELETE', 'PROPFIND', 'OPTIONS']) {
      const { status, headers } = await ask({ 'x-forwarded-method': method })
      assert.deepEqual([status, headers.get('location')], [401, null], method)
    }
  })

  it('takes an app password, which the application never sees', async () => {
    const wanted = { name: 'git', policies: ['two-factor'], days: undefined }
    const made = await makeAppPasswordFor(world.services, 'ada', { wanted, by: operator })
    const secret = made.kind === 'made' ? made.appPassword : ''
    const basic = (password: string) => `Basic ${Buffer.from(`ada:${password}`).toString('base64')}`
    const entered = await ask({ accept: '*/*', authorization: basic(secret) })
    assert.deepEqual(
      ['x-remote-user', 'x-watchword-amr', 'authorization'].map((name) => entered.headers.get(name)),
      ['ada', 'app-password', null],
    )
    assert.equal((await ask({ accept: '*/*', authorization: basic(PASSWORD) })).status, 401)
    // Where none is taken, what a program sends by Basic is the application's own.
    const cookie = await enter(ada)
    const theirs = await ask({ cookie, authorization: basic('theirs') }, 'policy=two-factor-recent')
    assert.deepEqual([theirs.status, theirs.headers.get('authorization')], [204, basic('theirs')])
  })

  it('takes a password with a code in one field, which the application never sees either', async () => {
    const { phone, username } = await world.enrolled('carol')
    const authorization = `Basic ${Buffer.from(`${username}:${PASSWORD}${phone.code()}`).toString('base64')}`
    const { status, headers } = await ask({ accept: '*/*', authorization }, 'policy=field')
    assert.deepEqual(
      [status, headers.get('x-remote-user'), headers.get('authorization')],
      [204, 'carol', null],
    )
  })

  it('hands on the signed assertion of a policy that has one', async () => {
    const cookie = await enter(ada)
    const { headers } = await ask({ cookie }, 'policy=told')
    assert.match(headers.get('x-watchword-assertion') ?? '', /^[\w-]+\.[\w-]+\.[\w-]+$/)
    assert.equal((await ask({ cookie })).headers.get('x-watchword-assertion'), null)
  })

  it('refuses a cookie that came twice, to nginx by a status that it knows (SEC-SES-14)', async () => {
    const cookie = await enter(ada)
    assert.equal((await ask({ cookie: `${cookie}; ${cookie}` })).status, 400)
    assert.equal((await ask({ cookie: `${cookie}; ${cookie}` }, 'policy=two-factor&proxy=nginx')).status, 403)
  })

  it('neither reads nor keeps up a session of our pages', async () => {
    const { browser } = await world.enrolled('bob')
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const before = await world.services.db.selectFrom('session').select(['id', 'last_seen_at']).execute()
    world.clock.advance(120)
    assert.equal((await ask({ cookie })).status, 302)
    assert.deepEqual(
      await world.services.db.selectFrom('session').select(['id', 'last_seen_at']).execute(),
      before,
    )
  })

  it('closes with the next request after a user is disabled (SEC-SES-15)', async () => {
    const person = await world.enrolled('eve')
    const cookie = await enter(person)
    assert.equal((await ask({ cookie })).status, 204)
    await disableUser(world.services, 'eve', operator)
    assert.equal((await ask({ cookie })).status, 302)
  })

  it('writes neither secret, cookie nor address into the log', async () => {
    const lines: string[] = []
    const logged = await startWorld({
      config: { login: { returnOrigins: [HOST] } },
      log: (line) => lines.push(line),
    })
    for (const secret of [CALLER_SECRET, 'canary-secret-that-is-wrong']) {
      await logged.app.request(
        '/api/authorize?policy=two-factor',
        {
          headers: { ...(usual as Record<string, string>), 'x-watchword-secret': secret, cookie: 'canary=1' },
        },
        { peer: { kind: 'unix' } },
      )
    }
    await logged.close()
    const log = lines.join('')
    assert.ok(log.includes('/api/authorize'))
    for (const secret of [CALLER_SECRET, 'canary', 'a=1']) assert.ok(!log.includes(secret))
  })
})
