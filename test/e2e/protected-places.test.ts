import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { changeGroup } from '../../src/actions/change-group.ts'
import { disableUser } from '../../src/actions/disable-user.ts'
import { makeAppPasswordFor } from '../../src/actions/make-app-password.ts'
import { purgeExpired } from '../../src/actions/purge-expired.ts'
import {
  contents,
  hostOfContents,
  type ProtectedWorld,
  place,
  signInWhereAsked,
  startProtected,
  type Visitor,
} from '../support/protected.ts'
import { type Enrolled, PASSWORD } from '../world.ts'

const operator = { operator: 'test' }

// Real Apache, its configuration written by the program, two hosts of different domains.
describe('protected places behind Apache', () => {
  let here: ProtectedWorld
  let application: http.Server
  let ada: Enrolled
  let people = 0

  before(async () => {
    application = http.createServer((request, response) => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ method: request.method, headers: request.rawHeaders }))
    })
    await once(application.listen(0, '127.0.0.1'), 'listening')
    const { port } = application.address() as AddressInfo
    here = await startProtected({
      files: contents,
      policies: {
        inside: {
          ...{ groups: [], users: [], proof: 'two-factor', within: undefined, access: ['session'], lease: 0 },
          assertion: false,
          networks: [{ family: 'ipv4', address: '10.0.0.0', prefix: 8 }],
        },
      },
      toml: '[policies.inside]\nnetworks = ["10.0.0.0/8"]\n',
      wiki: (folder) => `
  ${hostOfContents(folder)}
  ProxyPass "/app" "http://127.0.0.1:${port}/app"
  ${place('/', 'two-factor')}
  ${place('/open', 'password', '\n    Require all granted')}
  ${place('/staff', 'group-staff')}
  ${place('/recent', 'two-factor-recent')}
  ${place('/inside', 'inside')}
  ${place('/unheard', 'two-factor', '\n    SetEnvIf Request_Method "^" WW_POLICY=unheard-of')}
  ${place('/unnamed', 'two-factor', '\n    SetEnvIf Request_Method "^" !WW_POLICY')}
  ${place('/stranger', 'two-factor', '\n    SetEnvIf Request_Method "^" WW_SECRET=0000000000000000000000000')}
  ${['staff', 'recent', 'inside', 'unheard', 'unnamed', 'stranger'].map((name) => `Alias "/${name}" "${folder}/htdocs"`).join('\n  ')}`,
      shop: (folder) => `
  DocumentRoot "${folder}/htdocs"
  <Directory "${folder}/htdocs">
    Require all granted
    DirectoryIndex index.html
  </Directory>
  ${place('/index.html', 'two-factor')}
  ${place('/loose', 'password')}
  ${place('/loose/index.html', 'two-factor')}
  Alias "/loose" "${folder}/htdocs"`,
    })
    for (const group of ['staff', 'editors']) {
      await changeGroup(here.world.services, { kind: 'create', group }, operator)
    }
    ada = await here.world.enrolled('ada')
  })
  after(async () => {
    await here?.close()
    application?.close()
  })

  const page = 'the page of the wiki\n'
  /** A person with a browser that is signed in at our pages. */
  async function somebody(groups: readonly string[] = []): Promise<Enrolled & { visitor: Visitor }> {
    const person = await here.world.enrolled(`person${people++}`, { groups })
    return { ...person, visitor: here.visitor(person.browser) }
  }
  async function inside(groups: readonly string[] = []) {
    const person = await somebody(groups)
    const { status } = await person.visitor.open(`${here.wiki}/index.html`)
    assert.equal(status, 200)
    return person
  }

  describe('a browser', () => {
    it('is sent to our pages, and comes back to the very address with a cookie of that host alone', async () => {
      const { visitor } = await somebody()
      const address = `${here.wiki}/index.html?a=1&b=%C3%A9'x'`
      const first = await visitor.get(address)
      assert.equal(first.status, 302)
      assert.match(
        String(first.headers['set-cookie']),
        /^__Host-watchword-wait=[\w-]{43};.*; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
      )
      const { status, body, address: last, hops } = await visitor.open(address)
      assert.deepEqual([status, body], [200, page])
      assert.equal(last, `${here.wiki}/index.html?a=1&b=%C3%A9%27x%27`)
      assert.match(hops[1] ?? '', /^https:\/\/auth\.example\.com\/enter\?/)
      assert.equal(hops.length, 4)
      assert.deepEqual([...(visitor.jars.get(here.wiki)?.keys() ?? [])], ['__Host-watchword-site'])
    })

    it('that is not signed in is asked to, and goes on from there', async () => {
      const visitor = here.visitor()
      const asked = await visitor.open(`${here.wiki}/index.html`)
      assert.deepEqual([asked.status, new URL(asked.address).pathname], [200, '/login'])
      const back = await signInWhereAsked(visitor, asked, ada)
      here.world.clock.advance(30)
      const { status, body } = await visitor.open(back)
      assert.deepEqual([status, body], [200, page])
    })

    it('enters a host of another domain by the same sign-in', async () => {
      const { visitor } = await inside()
      const { status, body, hops } = await visitor.open(`${here.shop}/index.html`)
      assert.deepEqual([status, body], [200, page])
      assert.ok(hops.every((hop) => !hop.includes('/login')))
      const [wiki, shop] = [here.wiki, here.shop].map((host) =>
        visitor.jars.get(host)?.get('__Host-watchword-site'),
      )
      assert.ok(wiki !== undefined && shop !== undefined && wiki !== shop)
    })

    it('with the cookie of one host enters no other', async () => {
      const { visitor } = await inside()
      visitor.jars.set(here.shop, new Map(visitor.jars.get(here.wiki)))
      assert.equal((await visitor.get(`${here.shop}/index.html`)).status, 302)
    })

    it('that sends a cookie twice is refused (SEC-SES-14)', async () => {
      const { visitor } = await inside()
      const token = visitor.jars.get(here.wiki)?.get('__Host-watchword-site')
      const twice = `__Host-watchword-site=${token}; __Host-watchword-site=${token}`
      assert.equal((await visitor.get(`${here.wiki}/index.html`, { cookie: twice })).status, 400)
    })

    it('gets 401 and no redirect for what a script fetches, and for what carries a body', async () => {
      const visitor = here.visitor()
      const fetched = await visitor.get(`${here.wiki}/index.html`, {
        'sec-fetch-mode': 'cors',
        accept: '*/*',
      })
      assert.equal(fetched.status, 401)
      assert.match(String(fetched.headers['content-type']), /^application\/json/)
      assert.deepEqual(JSON.parse(fetched.body).code, 'not_signed_in')
      assert.equal(fetched.headers['www-authenticate'], undefined)
      for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'MOVE']) {
        const { status, headers } = await visitor.get(`${here.wiki}/app`, {}, method, 'x')
        assert.deepEqual([status, headers.location], [401, undefined], method)
      }
      assert.equal((await visitor.get(`${here.wiki}/index.html`, {}, 'TRACE')).status, 405)
      assert.equal(
        (await visitor.get(`${here.wiki}/index.html`, { accept: 'text/html' }, 'HEAD')).status,
        302,
      )
    })

    it('is asked for a fresh proof where the policy wants one', async () => {
      const { visitor, ...person } = await inside()
      assert.equal((await visitor.open(`${here.wiki}/recent/index.html`)).status, 200)
      here.world.clock.advance(16 * 60)
      const asked = await visitor.open(`${here.wiki}/recent/index.html`)
      assert.equal(new URL(asked.address).pathname, '/confirm')
      assert.equal((await visitor.get(`${here.wiki}/index.html`)).status, 200)
      const back = await signInWhereAsked(visitor, asked, person)
      here.world.clock.advance(30)
      assert.equal((await visitor.open(back)).status, 200)
    })
  })

  it('takes a fresher session of the same person in place of an older one that still holds', async () => {
    const { visitor, username, phone } = await inside()
    here.world.clock.advance(16 * 60)
    const portal = here.world.browser()
    await portal.post('/auth/authenticate/', { username, password: PASSWORD, otp: phone.code() })
    here.world.clock.advance(30)
    const again = here.visitor(portal)
    again.jars.set(here.wiki, new Map(visitor.jars.get(here.wiki)))
    assert.equal((await again.get(`${here.wiki}/index.html`)).status, 200)
    assert.equal((await again.open(`${here.wiki}/recent/index.html`)).status, 200)
  })

  describe('who is let in', () => {
    it('reaches the application by name, with groups and proof, and never with our cookies', async () => {
      const { visitor, username, id } = await inside(['staff', 'editors'])
      visitor.jars.get(here.wiki)?.set('theirs', 'kept')
      const { status, body, headers } = await visitor.get(`${here.wiki}/cgi/env`)
      assert.equal(status, 200)
      const environment = new Map(body.split('\n').map((line) => line.split(/=(.*)/s) as [string, string]))
      assert.equal(environment.get('REMOTE_USER'), username)
      assert.equal(environment.get('REMOTE_GROUPS'), 'editors,staff')
      assert.equal(environment.get('WW_AMR'), 'pwd,otp')
      assert.equal(environment.get('WW_USER_ID'), id)
      assert.equal(environment.get('HTTP_COOKIE'), 'theirs=kept')
      assert.doesNotMatch(body, /WW_SECRET=./)
      assert.ok(!body.includes(visitor.jars.get(here.wiki)?.get('__Host-watchword-site') ?? '?'))
      assert.deepEqual(
        Object.keys(headers).filter((name) => /variable|watchword|cookie/.test(name)),
        [],
      )
    })

    it('reaches a proxied application by name, whatever headers the client sends (M-05, M-07, M-08, FT-HDR-1)', async () => {
      const { visitor, username } = await inside(['staff'])
      const token = visitor.jars.get(here.wiki)?.get('__Host-watchword-site') ?? ''
      for (const cookie of [
        `__Host-watchword-site=${token}`,
        `a=1; __Host-watchword-site=${token}; b=2`,
        `__Host-watchword-site=${token};b=2`,
        `a=1; __Host-watchword-wait=${token}; __Host-watchword-site=${token}`,
      ]) {
        const reply = await visitor.get(`${here.wiki}/app`, {
          cookie,
          'X-Remote-User': 'root',
          X_Remote_User: 'root',
          'X-Forwarded_User': 'root',
          'Remote-User': 'root',
          'X-Forwarded-For': '203.0.113.7',
          X_Forwarded_For: '203.0.113.7',
          Forwarded: 'for=203.0.113.7',
          'X-Forwarded-Proto': 'http',
          'X-Original-URL': '/elsewhere',
          Connection: 'close, X-Remote-User, X-Remote-Groups, X-Forwarded-Proto',
        })
        assert.equal(reply.status, 200)
        const { headers } = JSON.parse(reply.body) as { headers: string[] }
        const of = (name: string) =>
          headers.filter((_, at) => headers[at - 1]?.toLowerCase() === name && at % 2 === 1)
        assert.deepEqual(of('x-remote-user'), [username])
        assert.deepEqual(of('x-remote-groups'), ['staff'])
        assert.deepEqual(of('x-forwarded-for'), ['127.0.0.1'])
        assert.deepEqual(of('x-forwarded-proto'), ['https'])
        assert.doesNotMatch(reply.body, /"root"|203\.0\.113|elsewhere/)
        assert.ok(!reply.body.includes(token))
        const rest = cookie.match(/\b[ab]=\d/g)?.join('; ')
        assert.deepEqual(
          of('cookie').map((line) => line.match(/\b[ab]=\d/g)?.join('; ')),
          rest === undefined ? [] : [rest],
        )
      }
    })

    it('opens a folder by the program that is its index', async () => {
      const { visitor, username } = await inside()
      const { status, body } = await visitor.get(`${here.wiki}/php/`)
      assert.equal(status, 200)
      assert.match(body, new RegExp(`^REMOTE_USER=${username}$`, 'm'))
      assert.doesNotMatch(body, /WW_SECRET=./)
    })

    it('may be a member of a group only, from the next request on', async () => {
      const { visitor, username } = await inside()
      assert.equal((await visitor.get(`${here.wiki}/staff/index.html`)).status, 403)
      await changeGroup(here.world.services, { kind: 'add', group: 'staff', who: username }, operator)
      assert.equal((await visitor.get(`${here.wiki}/staff/index.html`)).status, 200)
      await changeGroup(here.world.services, { kind: 'remove', group: 'staff', who: username }, operator)
      assert.equal((await visitor.get(`${here.wiki}/staff/index.html`)).status, 403)
    })

    it('comes from a network of the policy, where it names some', async () => {
      const { visitor } = await inside()
      const spoofed = { 'x-forwarded-for': '10.0.0.1', forwarded: 'for=10.0.0.1' }
      assert.equal((await visitor.get(`${here.wiki}/inside/index.html`, spoofed)).status, 403)
    })
  })

  describe('a program', () => {
    const basic = (username: string, password: string) =>
      ({
        accept: '*/*',
        authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
      }) as const
    const make = async (username: string, policies: readonly string[]) => {
      const wanted = { name: 'git', policies, days: undefined }
      const made = await makeAppPasswordFor(here.world.services, username, { wanted, by: operator })
      assert.equal(made.kind, 'made')
      return made.kind === 'made' ? made.appPassword : ''
    }

    it('is asked for Basic where the policy takes app passwords, and nowhere else', async () => {
      const visitor = here.visitor()
      const asked = await visitor.get(`${here.wiki}/app`, { accept: '*/*' })
      assert.deepEqual(
        [asked.status, asked.headers['www-authenticate']],
        [401, 'Basic realm="Watchword", charset="UTF-8"'],
      )
      const elsewhere = await visitor.get(`${here.wiki}/recent/index.html`, { accept: '*/*' })
      assert.deepEqual([elsewhere.status, elsewhere.headers['www-authenticate']], [401, undefined])
    })

    it('enters with an app password for that policy, which the application never sees', async () => {
      const { username } = await somebody(['staff'])
      const credentials = basic(username, await make(username, ['two-factor']))
      const visitor = here.visitor()
      for (const path of ['/app', '/cgi/env']) {
        const { status, body } = await visitor.get(`${here.wiki}${path}`, credentials)
        assert.equal(status, 200)
        assert.ok(body.includes(username))
        assert.ok(!body.includes(credentials.authorization.slice(6)))
      }
      assert.match((await visitor.get(`${here.wiki}/cgi/env`, credentials)).body, /^WW_AMR=app-password$/m)
      assert.equal((await visitor.get(`${here.wiki}/staff/index.html`, credentials)).status, 401)
      assert.equal((await visitor.get(`${here.wiki}/recent/index.html`, credentials)).status, 401)
    })

    it('may show other credentials to the application, where a session lets it in', async () => {
      const { visitor } = await inside()
      const { status, body } = await visitor.get(`${here.wiki}/app`, {
        authorization: 'Bearer of-the-application',
      })
      assert.equal(status, 200)
      assert.ok(body.includes('Bearer of-the-application'))
      assert.equal((await here.visitor().get(`${here.wiki}/app`, { authorization: 'Bearer x' })).status, 401)
    })

    it('must be in the group too', async () => {
      const { username } = await somebody()
      const credentials = basic(username, await make(username, ['group-staff']))
      assert.equal((await here.visitor().get(`${here.wiki}/staff/index.html`, credentials)).status, 403)
    })

    it('never enters with the password that a person signs in with, nor with another name', async () => {
      const { username } = await somebody()
      const appPassword = await make(username, ['two-factor'])
      for (const credentials of [basic(username, PASSWORD), basic('ada', appPassword), basic(username, '')]) {
        const { status, headers } = await here.visitor().get(`${here.wiki}/app`, credentials)
        assert.deepEqual([status, headers.location], [401, undefined])
      }
    })

    it('enters no more once its user is disabled', async () => {
      const { username } = await somebody()
      const credentials = basic(username, await make(username, ['two-factor']))
      assert.equal((await here.visitor().get(`${here.wiki}/app`, credentials)).status, 200)
      await disableUser(here.world.services, username, operator)
      assert.equal((await here.visitor().get(`${here.wiki}/app`, credentials)).status, 401)
    })
  })

  describe('the door', () => {
    it('is not passed by the index of a folder that anybody may open, or that asks for less', async () => {
      assert.notEqual((await here.visitor().get(`${here.shop}/`)).status, 200)
      const { visitor } = await inside()
      await visitor.open(`${here.shop}/loose/none`)
      const loose = await visitor.get(`${here.shop}/loose/`)
      assert.deepEqual([loose.status, loose.body.includes(page)], [403, false])
      assert.equal((await visitor.get(`${here.shop}/loose/index.html`)).status, 200)
    })

    const ends: readonly (readonly [string, (person: Enrolled) => Promise<unknown>])[] = [
      ['signing out', ({ browser }) => browser.post('/auth/logout/')],
      ['disabling the user', ({ username }) => disableUser(here.world.services, username, operator)],
      ['ending every session', ({ browser }) => endOwn(browser)],
      ['idleness', async () => here.world.clock.advance(3601)],
    ]
    for (const [what, end] of ends) {
      it(`is closed at the next request by ${what} (SEC-SES-7, SEC-SES-8)`, async () => {
        const person = await inside()
        await person.visitor.open(`${here.shop}/index.html`)
        await end(person)
        for (const host of [here.wiki, here.shop]) {
          assert.equal((await person.visitor.get(`${host}/index.html`)).status, 302, host)
        }
      })
    }

    it('stays closed for a policy that is unknown or not named, and for whoever is not Apache', async () => {
      const { visitor } = await inside()
      for (const path of ['/unheard/index.html', '/unnamed/index.html', '/stranger/index.html']) {
        assert.equal((await visitor.get(`${here.wiki}${path}`)).status, 403, path)
      }
    })

    it('stays closed for a host that is not listed', async () => {
      const { visitor } = await inside()
      for (const host of ['evil.example', 'wiki.example.net', `auth.example.com:${here.apache.httpsPort}`]) {
        assert.equal((await visitor.get(`${here.wiki}/index.html`, { host })).status, 403, host)
      }
    })

    it('is closed while the authorizer is stopped, and open again when it is back (SEC-FCGI-8)', async () => {
      const { visitor } = await inside()
      await here.stopAuthorizer()
      const { status, body } = await visitor.get(`${here.wiki}/index.html`)
      assert.equal(status, 500)
      assert.ok(!body.includes(page))
      await here.startAuthorizer()
      assert.equal((await visitor.get(`${here.wiki}/index.html`)).status, 200)
    })
  })

  describe('a ticket', () => {
    /** The way of a new browser up to the address with the ticket. */
    async function underWay() {
      const person = await somebody()
      const { visitor } = person
      const first = await visitor.get(`${here.wiki}/index.html`)
      const entered = await visitor.portal.get(
        String(first.headers.location).replace('https://auth.example.com', ''),
      )
      assert.equal(entered.status, 303)
      return { ...person, address: entered.headers.get('location') ?? '' }
    }

    it('works once', async () => {
      const { visitor, address } = await underWay()
      const wait = new Map(visitor.jars.get(here.wiki))
      assert.match(String((await visitor.get(address)).headers['set-cookie']), /__Host-watchword-site=/)
      visitor.jars.set(here.wiki, wait)
      const again = await visitor.get(address)
      assert.match(String(again.headers.location), /\/enter\?/)
      assert.doesNotMatch(String(again.headers['set-cookie']), /__Host-watchword-site=/)
    })

    it('works for one of sixteen that bring it at once', async () => {
      const { visitor, address } = await underWay()
      const cookie = `__Host-watchword-wait=${visitor.jars.get(here.wiki)?.get('__Host-watchword-wait')}`
      const replies = await Promise.all(Array.from({ length: 16 }, () => visitor.get(address, { cookie })))
      const won = replies.filter(({ headers }) => String(headers['set-cookie']).includes('-site='))
      assert.equal(won.length, 1)
    })

    it('does nothing for a browser that did not ask for it: nobody is signed in as somebody else (L-55)', async () => {
      const { address } = await underWay()
      const victim = here.visitor()
      assert.equal((await victim.get(address)).status, 403)
      await victim.get(`${here.wiki}/index.html`)
      const sent = await victim.get(address)
      assert.match(String(sent.headers.location), /\/enter\?/)
      assert.equal(victim.jars.get(here.wiki)?.has('__Host-watchword-site'), false)
    })

    it('does nothing at another host', async () => {
      const { visitor, address } = await underWay()
      const jar = visitor.jars.get(here.wiki) ?? new Map()
      visitor.jars.set(here.shop, new Map(jar))
      await visitor.get(address.replace(here.wiki, here.shop))
      assert.equal(visitor.jars.get(here.shop)?.has('__Host-watchword-site'), false)
    })

    it('does nothing after a minute, and is purged', async () => {
      const { visitor, address } = await underWay()
      here.world.clock.advance(60)
      await visitor.get(address)
      assert.equal(visitor.jars.get(here.wiki)?.has('__Host-watchword-site'), false)
      assert.equal((await purgeExpired(here.world.services)).tickets > 0, true)
    })

    it('ends with the session it was made for', async () => {
      const { visitor, address, browser } = await underWay()
      await browser.post('/auth/logout/')
      await visitor.get(address)
      assert.equal(visitor.jars.get(here.wiki)?.has('__Host-watchword-site'), false)
    })

    it('is made for listed hosts only (SEC-RED-1)', async () => {
      const { browser } = await somebody()
      const state = 'A'.repeat(43)
      for (const to of [
        'https://evil.example/',
        `${here.wiki}.evil.example/`,
        `${here.wiki}@evil.example/`,
        here.wiki.replace('https:', 'http:'),
        'https://wiki.example.net/',
        '//evil.example/',
        '/account',
        'javascript:alert(1)',
      ]) {
        const reply = await browser.get(`/enter?${new URLSearchParams({ to, state })}`)
        assert.deepEqual([reply.status, reply.headers.get('location')], [400, null], to)
      }
      const noState = await browser.get(`/enter?${new URLSearchParams({ to: `${here.wiki}/` })}`)
      assert.equal(noState.status, 400)
    })
  })
})

async function endOwn(browser: Enrolled['browser']): Promise<void> {
  const { body } = await browser.get('/auth/sessions/')
  for (const { id } of body.sessions) await browser.delete(`/auth/sessions/${id}/`)
}
