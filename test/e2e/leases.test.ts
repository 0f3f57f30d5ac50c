import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, globSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from 'node:tls'
import { changeGroup } from '../../src/actions/change-group.ts'
import { makeAppPasswordFor } from '../../src/actions/make-app-password.ts'
import { systemClock } from '../../src/compose.ts'
import {
  contents,
  hostOfContents,
  type ProtectedWorld,
  startProtected,
  type Visitor,
} from '../support/protected.ts'
import { type Enrolled, PASSWORD } from '../world.ts'

const operator = { operator: 'test' }
const site = '__Host-watchword-site'

const place = (path: string, policy: string, more = '') => `
  <Location "${path}">
    Include watchword/protect-${policy}.conf${more}
  </Location>`

const own = {
  groups: [],
  users: [],
  proof: 'two-factor',
  within: undefined,
  networks: [],
  assertion: false,
  lease: 30,
  access: ['session'],
} as const

// Real Apache, its configuration written by the program, and an authorizer whose clock is the machine's.
describe('places that Apache opens by leases', () => {
  let here: ProtectedWorld
  let application: http.Server
  let people = 0

  before(async () => {
    application = http.createServer((request, response) => response.end(request.rawHeaders.join('\n')))
    await once(application.listen(0, '127.0.0.1'), 'listening')
    const { port } = application.address() as AddressInfo
    here = await startProtected({
      leases: true,
      files: contents,
      policies: {
        asking: { ...own, lease: 0 },
        short: { ...own, lease: 3 },
        near: { ...own, networks: [{ family: 'ipv4', address: '127.0.0.0', prefix: 8 }] },
      },
      toml: '[policies.asking]\nlease = 0\n[policies.short]\nlease = 3\n[policies.near]\nnetworks = ["127.0.0.0/8"]\n',
      wiki: (folder) => `
  ${hostOfContents(folder)}
  ProxyPass "/app" "http://127.0.0.1:${port}/app"
  ErrorDocument 404 /error/env
  ScriptAlias "/error/" "${folder}/cgi/"
  ${place('/', 'two-factor')}
  <Location "/error">
    AuthMerging Off
    Require all granted
  </Location>
  ${['group-staff', 'asking', 'short', 'near', 'two-factor-recent'].map((name) => place(`/cgi/env/${name}`, name)).join('')}
  ${place('/cgi/env/summer', 'password', '\n    SetEnvIf Request_Method "^" WW_TIME=20200701120000')}
  ${place('/php', 'asking')}`,
      shop: (folder) => `
  DocumentRoot "${folder}/htdocs"
  ScriptAlias "/cgi/" "${folder}/cgi/"
  <Directory "${folder}">
    Require all granted
    DirectoryIndex index.html
  </Directory>
  ${place('/', 'two-factor')}
  Alias "/loose" "${folder}/htdocs"
  ${place('/loose', 'password')}
  ${place('/loose/index.html', 'two-factor')}`,
    })
    for (const group of ['staff', 'editors']) {
      await changeGroup(here.world.services, { kind: 'create', group }, operator)
    }
  })
  after(async () => {
    await here?.close()
    application?.close()
  })

  type Person = Enrolled & { readonly visitor: Visitor }

  /** A person with a browser at our pages and at the wiki, by Apache's own clock. */
  async function somebody(groups: readonly string[] = []): Promise<Person> {
    const person = await here.world.enrolled(`person${people++}`, { groups })
    here.world.clock.set(systemClock())
    const visitor = here.visitor(person.browser)
    assert.equal((await visitor.open(`${here.wiki}/index.html`)).status, 200)
    return { ...person, visitor }
  }
  const program = (path: string): string => `${here.wiki}/cgi/env${path}`

  /** The environment of a program behind Apache, or the status that came in its place. */
  async function seen(
    visitor: Visitor,
    address = program(''),
    headers: Record<string, string> = {},
  ): Promise<Map<string, string> | number> {
    const { status, body } = await visitor.get(address, headers)
    if (status !== 200) return status
    return new Map(body.split('\n').map((line) => line.split(/=(.*)/s) as [string, string]))
  }
  const isLeased = (environment: Map<string, string> | number): boolean =>
    typeof environment === 'object' && environment.has('WW_LEASE')

  /** Asks until Apache answers by itself, which is the second time unless it ends between. */
  async function leased(visitor: Visitor, address?: string): Promise<Map<string, string>> {
    for (let attempt = 0; attempt < 20; attempt++) {
      const environment = await seen(visitor, address)
      assert.ok(typeof environment === 'object', `status ${environment}`)
      if (isLeased(environment)) return environment
    }
    throw new Error('Apache asks each time')
  }
  async function neverLeased(visitor: Visitor, address: string, headers: Record<string, string> = {}) {
    for (let attempt = 0; attempt < 4; attempt++) {
      const environment = await seen(visitor, address, headers)
      assert.deepEqual([typeof environment, isLeased(environment)], ['object', false], address)
    }
  }
  const tokenOf = ({ jars }: Visitor): string => jars.get(here.wiki)?.get(site) ?? ''
  const filesOf = ({ id }: Person): string[] => globSync(join(here.leaseDirectory, 'users', id, '*'))

  describe('who is let in', () => {
    it('is the same person to a program, asked or not, and the secret stays with Apache (SEC-FCGI-3)', async () => {
      const { visitor, username, id } = await somebody(['staff', 'editors'])
      const asked = await seen(visitor, program('/asking'))
      const not = await leased(visitor)
      assert.ok(typeof asked === 'object')
      for (const [name, value] of [
        ['REMOTE_USER', username],
        ['REMOTE_GROUPS', 'editors,staff'],
        ['WW_AMR', 'pwd,otp'],
        ['WW_USER_ID', id],
      ] as const) {
        assert.deepEqual([asked.get(name), not.get(name)], [value, value], name)
      }
      assert.equal(not.get('WW_SECRET'), undefined)
      const known = /^(?:WW_(?:LEASE|POLICY|TIME|SECRET)|PATH_|REQUEST_URI|REMOTE_PORT|SCRIPT_URI|UNIQUE_ID)/
      const rest = (environment: Map<string, string>) =>
        [...environment].filter(([name]) => !known.test(name)).toSorted()
      assert.deepEqual(rest(not), rest(asked))
      assert.ok(![...not.values()].join().includes(tokenOf(visitor)))
    })

    it('is the same person to a proxied application, whatever headers the client sends (M-07, M-08)', async () => {
      const { visitor, username } = await somebody(['staff'])
      await leased(visitor)
      const { status, body } = await visitor.get(`${here.wiki}/app`, {
        'X-Remote-User': 'root',
        X_Remote_User: 'root',
        Connection: 'close, X-Remote-User, X-Remote-Groups',
      })
      assert.equal(status, 200)
      assert.match(body, new RegExp(`^X-Remote-User\n${username}$`, 'm'))
      assert.match(body, /^X-Remote-Groups\nstaff$/m)
      assert.ok(!body.includes('root') && !body.includes(tokenOf(visitor)))
    })

    it('gets the index of a folder, a file, and the page for what is missing', async () => {
      const { visitor, username } = await somebody()
      await leased(visitor)
      const page = await visitor.get(`${here.wiki}/`)
      assert.deepEqual([page.status, page.body], [200, 'the page of the wiki\n'])
      const missing = await visitor.get(`${here.wiki}/missing`)
      assert.equal(missing.status, 404)
      assert.match(missing.body, new RegExp(`^REDIRECT_REMOTE_USER=${username}$`, 'm'))
      assert.doesNotMatch(missing.body, /REDIRECT_WW_SECRET=./)
    })
  })

  describe('nothing is leased', () => {
    it('where the policy says 0, where the address decides, and to programs', async () => {
      const { visitor, username } = await somebody()
      await neverLeased(visitor, program('/asking'))
      await neverLeased(visitor, program('/near'))
      const wanted = { name: 'git', policies: ['two-factor'], days: undefined }
      const made = await makeAppPasswordFor(here.world.services, username, { wanted, by: operator })
      assert.ok(made.kind === 'made')
      const authorization = `Basic ${Buffer.from(`${username}:${made.appPassword}`).toString('base64')}`
      await neverLeased(here.visitor(), program(''), { authorization, accept: '*/*' })
    })

    it('to an Apache whose clock or zone is another than ours', async () => {
      const { visitor } = await somebody()
      await neverLeased(visitor, program('/summer'))
    })

    it('under another spelling of the host', async () => {
      const { visitor } = await somebody()
      await leased(visitor)
      const host = `WIKI.example.net:${here.apache.httpsPort}`
      await neverLeased(visitor, program(''), { host })
    })
  })

  describe('a lease', () => {
    it('is asked past by whoever shows credentials, a ticket or two cookies', async () => {
      const { visitor } = await somebody()
      const token = tokenOf(visitor)
      await leased(visitor)
      assert.ok(!isLeased(await seen(visitor, program(''), { authorization: 'Bearer x' })))
      const ticket = await visitor.get(`${program('')}?watchword_ticket=${token}`)
      assert.equal(ticket.status, 302)
      const twice = `${site}=${token}; ${site}=${token}`
      assert.equal(await seen(visitor, program(''), { cookie: twice }), 400)
      const lines = [`Cookie: ${site}=${token}`, `Cookie: ${site}=${token}`]
      assert.match(await sentRaw(lines), /^HTTP\/1\.1 (?:400|401) /)
      assert.match(await sentRaw(lines.slice(1)), /^HTTP\/1\.1 200 [\s\S]*WW_LEASE=/)
      assert.ok(isLeased(await seen(visitor)))
    })

    it('is of one cookie of one name, and no header names one', async () => {
      const { visitor } = await somebody()
      const token = tokenOf(visitor)
      await leased(visitor)
      const [file = ''] = globSync(join(here.leaseDirectory, 'policies', 'two-factor', '*'))
      const name = file.split('/').at(-1)
      for (const cookie of [
        `watchword-site=${token}`,
        `x${site}=${token}`,
        `${site}x=${token}`,
        `${site}=${token}x`,
        `${site}=${token.slice(1)}`,
        `${site}="${token}"`,
        `${site}=${name}`,
        `${site}=../two-factor/${name}`.padEnd(64, '.'),
        `${site}=${'../'.repeat(20).slice(0, 43)}`,
        `a="; ${site}=${token}x; b"`,
        `a=b, ${site}=${token}`,
        ' ',
      ]) {
        const headers = { cookie, WW_LEASE: 'two-factor', WW_USER_ID: 'x', REMOTE_USER: 'root' }
        assert.equal(await seen(visitor, program(''), headers), 302, cookie)
      }
    })

    it('opens no other policy, and no other host', async () => {
      const { visitor } = await somebody()
      await leased(visitor)
      assert.equal(await seen(visitor, program('/group-staff')), 403)
      visitor.jars.set(here.shop, new Map(visitor.jars.get(here.wiki)))
      assert.equal(await seen(visitor, `${here.shop}/cgi/env`), 302)
    })

    it('of the section around says nothing to the section within', async () => {
      const { visitor, username } = await somebody()
      await leased(visitor)
      // The index of this folder is a program, found by a request of Apache's own.
      const inner = await visitor.get(`${here.wiki}/php/`)
      assert.equal(inner.status, 200)
      assert.match(inner.body, new RegExp(`^REMOTE_USER=${username}$`, 'm'))
      assert.doesNotMatch(inner.body, /^WW_LEASE=/m)
      // A password opens this folder, and its index asks for two factors: two leases of other policies are none here.
      assert.equal((await visitor.open(`${here.shop}/index.html`)).status, 200)
      for (let attempt = 0; attempt < 3; attempt++) {
        const loose = await visitor.get(`${here.shop}/loose/`)
        assert.deepEqual([loose.status, loose.body.includes('the page')], [403, false])
      }
    })

    it('ends by itself, and is made anew', async () => {
      const { visitor } = await somebody()
      await leased(visitor, program('/short'))
      const deadline = performance.now() + 60_000
      while (isLeased(await seen(visitor, program('/short')))) {
        assert.ok(performance.now() < deadline, 'the lease of three seconds does not end')
        await delay(50)
      }
      await leased(visitor, program('/short'))
    })

    it('that is not whole admits nobody', async () => {
      const person = await somebody()
      const { visitor } = person
      await leased(visitor)
      const [file = ''] = filesOf(person).filter((path) => path.includes('/two-factor.'))
      const whole = readFileSync(file, 'utf8')
      for (let length = 0; length < whole.length; length += 7) {
        truncateSync(file, length)
        assert.ok(!isLeased(await seen(visitor)), `${length} bytes`)
        // It was asked about, and leased anew.
        assert.equal(readFileSync(file, 'utf8').split('\n')[2], person.username)
      }
      for (const spoilt of [whole.replace(/^\d/, 'x'), `\n${whole}`, whole.replace(person.username, '')]) {
        writeFileSync(file, spoilt)
        assert.ok(!isLeased(await seen(visitor)), spoilt)
      }
    })

    it('that was put there by somebody without the secret admits nobody (SEC-FCGI-4)', async () => {
      const person = await somebody()
      await leased(person.visitor)
      const [file = ''] = filesOf(person).filter((path) => path.includes('/two-factor.'))
      const token = 'A'.repeat(43)
      // What anybody on the machine could do with a folder below /tmp while Watchword is not there.
      for (const text of [`${here.wiki} ${token}`, ` ${here.wiki} ${token}`]) {
        const name = createHash('sha1').update(text).digest('hex')
        copyFileSync(file, join(here.leaseDirectory, 'policies', 'two-factor', name))
      }
      const stranger = here.visitor()
      stranger.jars.set(here.wiki, new Map([[site, token]]))
      assert.equal(await seen(stranger), 302)
    })

    it('lies where Apache can read it by name, and nobody but its owner can list or write', async () => {
      const person = await somebody()
      await leased(person.visitor)
      const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
      for (const folder of ['', 'users', `users/${person.id}`, 'policies', 'policies/two-factor', 'gone']) {
        assert.equal(modeOf(join(here.leaseDirectory, folder)), '711', folder)
      }
      assert.deepEqual(filesOf(person).map(modeOf), ['644'])
    })

    const ends: readonly (readonly [string, (person: Person) => unknown])[] = [
      ['signing out', ({ browser }) => browser.post('/auth/logout/')],
      ['ending the session from another browser', endFromElsewhere],
      ['another password', ({ browser, username }) => changePassword(browser, username)],
      ['disabling the user', ({ username }) => here.command('user', 'disable', username)],
      ['deleting the user', ({ username }) => here.command('user', 'delete', username, '--yes')],
      [
        'a reset of the second factor',
        ({ username }) => here.command('user', 'reset-second-factor', username, '--yes'),
      ],
      [
        'taking the user out of the group',
        ({ username }) => here.command('group', 'remove', 'staff', username),
      ],
    ]
    for (const [what, end] of ends) {
      it(`is no help to the next request after ${what} (SEC-SES-7, SEC-SES-8, SEC-SES-15)`, async () => {
        const person = await somebody(['staff'])
        const { visitor } = person
        await leased(visitor)
        await leased(visitor, program('/group-staff'))
        await end(person)
        const status = await seen(visitor, program('/group-staff'))
        assert.ok(status === 302 || status === 403, `${status}`)
        const elsewhere = await seen(visitor)
        if (what.includes('group')) assert.ok(typeof elsewhere === 'object' && !isLeased(elsewhere))
        else assert.equal(elsewhere, 302)
        assert.equal(await seen(visitor, program('/group-staff')), status)
      })
    }

    it('does not keep a group from whoever enters it, nor one that is deleted', async () => {
      const { visitor, username } = await somebody(['editors'])
      await leased(visitor)
      here.command('group', 'add', 'staff', username)
      const more = await seen(visitor)
      assert.deepEqual(typeof more === 'object' && more.get('REMOTE_GROUPS'), 'editors,staff')
      await leased(visitor)
      await changeGroup(here.world.services, { kind: 'delete', group: 'editors' }, operator)
      const less = await seen(visitor)
      assert.deepEqual(typeof less === 'object' && less.get('REMOTE_GROUPS'), 'staff')
    })

    it('is gone when the server stops, and with the server down the door is closed (SEC-FCGI-8)', async () => {
      const { visitor } = await somebody()
      await leased(visitor)
      await here.stopAuthorizer()
      assert.equal(await seen(visitor), 500)
      await here.startAuthorizer()
      await leased(visitor)
    })
  })

  it('leave nothing in the error log where there was none to read', async () => {
    const { visitor } = await somebody()
    await leased(visitor)
    assert.doesNotMatch(here.apache.errorLog(), /leases|AH0(?:0|1)\d+:.*(?:open|read|regex|expr)/)
    assert.match(here.apache.configtest, /Syntax OK/)
  })

  /** The answer to a request with these very header lines. */
  function sentRaw(lines: readonly string[]): Promise<string> {
    const { host, port } = new URL(here.wiki)
    const socket = connect({ host: '127.0.0.1', port: Number(port), rejectUnauthorized: false })
    socket.write(
      [`GET /cgi/env HTTP/1.1`, `Host: ${host}`, 'Connection: close', ...lines, '', ''].join('\r\n'),
    )
    return text(socket)
  }

  async function endFromElsewhere({ id, username, phone, browser }: Person) {
    const other = here.world.browser()
    await other.post('/auth/authenticate/', { username, password: PASSWORD, otp: phone.code(1) })
    const { body } = await other.get('/auth/sessions/')
    assert.ok(id && body.sessions.length === 2)
    for (const session of body.sessions) {
      if (!session.current) await other.delete(`/auth/sessions/${session.id}/`)
    }
    assert.equal((await browser.get('/auth/session/')).status, 401)
  }
})

/** By the lost password's way: whoever is signed in proves it anew, and every other session ends. */
async function changePassword(browser: Enrolled['browser'], username: string) {
  const next = `${PASSWORD} of ${username}`
  const reply = await browser.post('/auth/password/', { current_password: PASSWORD, new_password: next })
  assert.equal(reply.status, 200, reply.text)
}
