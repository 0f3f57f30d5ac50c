import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { changeGroup } from '../../src/actions/change-group.ts'
import { vhostConfiguration } from '../../src/apache/vhost.ts'
import { type RunningServer, startServer } from '../../src/http/server.ts'
import { pathSpellings, randomFrom } from '../support/path-spellings.ts'
import { type ProtectedWorld, place, startProtected } from '../support/protected.ts'
import { headerOf, type RawAddress, type RawAnswer, withRawClients } from '../support/raw-client.ts'

/** Spellings of each place; each of them comes with every method. */
const SPELLINGS = Number(process.env.WW_PATH_SPELLINGS ?? 300)
const seed = Number(process.env.WW_FUZZ_SEED ?? Date.now() % 2 ** 31)

const methods = [
  ...['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'CONNECT', 'PROPFIND'],
  ...['PROPPATCH', 'MKCOL', 'COPY', 'MOVE', 'LOCK', 'UNLOCK', 'REPORT', 'SEARCH', 'get', 'NONSENSE'],
]

/** What stands in every answer that somebody had to sign in for, and in that of members of the staff. */
const [SECRET, STAFF, OPEN] = ['canary-secret-4711', 'canary-staff-4712', 'for everybody']

/** How Apache may be told to read slashes; each is a virtual host with the same places. */
const readings = {
  usual: '',
  encoded: 'AllowEncodedSlashes On',
  kept: 'AllowEncodedSlashes NoDecode',
  unmerged: 'MergeSlashes Off',
  both: 'AllowEncodedSlashes NoDecode\n  MergeSlashes Off',
} as const
const nameOf = (reading: string) => (reading === 'usual' ? 'wiki.example.net' : `${reading}.example.net`)

/** Protected places of every kind, by their path. */
const places = {
  files: '/secret/page',
  'a folder by its <Directory>': '/guarded/page',
  'a program': '/tools/env',
  'an application behind ProxyPass': '/app/page',
  'a place of a group': '/staff/page',
} as const

// Raw sockets: every other client tidies the path up before it sends it.
for (const leases of [false, true])
  describe(`every spelling of an address, with every method, ${leases ? 'with' : 'without'} leases (seed ${seed})`, () => {
    let here: ProtectedWorld
    let application: http.Server
    let own: RunningServer
    /** What came to the application: the path, and who it was told that asks. */
    const arrived: { url: string; user: string | undefined }[] = []
    /** Cookies of somebody who is signed in: of a protected host, and of our pages. */
    let member = ''
    let portal = ''
    before(async () => {
      application = http.createServer((request, response) => {
        arrived.push({ url: request.url ?? '', user: request.headers['x-remote-user']?.toString() })
        response.end(SECRET)
      })
      await once(application.listen(0, '127.0.0.1'), 'listening')
      const { port } = application.address() as AddressInfo
      let socket = ''
      here = await startProtected({
        leases,
        files(folder) {
          socket = join(folder, 'own.sock')
          writeContents(folder)
        },
        wiki: (folder) => textOfHost(folder, port),
        shop: (folder) => `
  DocumentRoot "${folder}/htdocs"
  <Directory "${folder}/htdocs">
    Require all granted
  </Directory>
  ${place('/', 'two-factor')}`,
        hosts: (at, folder) =>
          [
            ...Object.entries(readings)
              .filter(([reading]) => reading !== 'usual')
              .map(
                ([reading, lines]) => `
<VirtualHost *:${at.httpsPort}>
  ServerName ${nameOf(reading)}
  SSLEngine on
  SSLCertificateFile "${at.certificate}"
  SSLCertificateKeyFile "${at.key}"
  ${lines}
${textOfHost(folder, port)}
</VirtualHost>`,
              ),
            vhostConfiguration({
              ...at,
              serverName: 'auth.example.com',
              backend: { kind: 'unix', path: socket },
            }),
          ].join('\n'),
      })
      const { world } = here
      await world.user('canary-person')
      own = await startServer(
        world.app,
        { kind: 'unix', path: socket, mode: 0o666 },
        world.edge.securityHeaders,
      )
      await changeGroup(world.services, { kind: 'create', group: 'staff' }, { operator: 'test' })
      // Signed in, with two factors, and not of the staff.
      const { browser } = await world.enrolled('ada')
      portal = cookies(browser.cookies)
      const visitor = here.visitor(browser)
      assert.equal((await visitor.open(`${here.wiki}/secret/page`)).status, 200)
      member = cookies(visitor.jars.get(here.wiki))
    })
    after(async () => {
      await own?.stop()
      await here?.close()
      application?.close()
    })

    /** Sends every spelling with each method to a host; gives what is wrong with the answers. */
    async function sendAll(
      host: string,
      spelled: readonly string[],
      judge: (answer: RawAnswer, call: Call) => boolean,
      { cookie = '', each = methods, direct }: Sending = {},
    ): Promise<string[]> {
      const calls = spelled.flatMap((target) => each.map((method) => ({ method, target, host })))
      const { port } = new URL(here.wiki)
      const wrong: string[] = []
      await withRawClients(
        direct ?? { port: here.apache.httpsPort, serverName: host },
        calls,
        async (client, call) => {
          const answer = await client.send({
            ...call,
            headers: [
              ['Host', host === 'auth.example.com' ? host : `${host}:${port}`],
              ['Accept', 'text/html'],
              ['Content-Length', '0'],
              ...(cookie === '' ? [] : [['Cookie', cookie] as const]),
            ],
          })
          if (judge(answer, call)) return
          const { status, body } = answer
          wrong.push(
            `${call.method} ${JSON.stringify(call.target)} at ${host}: ${status} ${body.slice(0, 80)}`,
          )
        },
      )
      return wrong
    }

    const spellingsOf = (path: string, host: string, count = SPELLINGS) =>
      pathSpellings(count, randomFrom(seed), { path, open: '/open', host })

    /** Whoever is not signed in is shown the way to sign in, a refusal, or what anybody may read. */
    function isFitForStrangers(answer: RawAnswer, { method, host }: Call): boolean {
      const { status, body } = answer
      if (body.includes('canary')) return false
      // Headers alone, or "OPTIONS *", which is about no path at all.
      if (status < 300) return body.includes(OPEN) || method === 'HEAD' || method === 'OPTIONS'
      if (status >= 400) return status < 500 || status === 501
      const location = headerOf(answer, 'location') ?? ''
      const isSlashOfOpenFolder = location.startsWith(`https://${host}:${here.apache.httpsPort}/open/`)
      return location.startsWith('https://auth.example.com/enter?') || isSlashOfOpenFolder
    }

    for (const [kind, path] of Object.entries(places)) {
      it(`shows a stranger nothing of ${kind} (FT-PATH-1, SEC-FCGI-10)`, async () => {
        arrived.length = 0
        const wrong = await sendAll(
          'wiki.example.net',
          spellingsOf(path, 'wiki.example.net'),
          isFitForStrangers,
        )
        assert.deepEqual(wrong, [])
        assert.deepEqual(arrived, [])
      })

      it(`shows a member only what is theirs, by way of ${kind} (FT-PATH-1, M-11)`, async () => {
        arrived.length = 0
        const spelled = spellingsOf(path, 'wiki.example.net')
        let seen = 0
        const isFit = ({ status, body }: RawAnswer) => {
          if (body.includes(SECRET)) seen++
          return !body.includes(STAFF) && (status < 500 || status === 501)
        }
        assert.deepEqual(await sendAll('wiki.example.net', spelled, isFit, { cookie: member }), [])
        if (kind !== 'a place of a group') assert.ok(seen > SPELLINGS / 10, `only ${seen} led there at all`)
        // The application is asked for what lies in its place, by whoever Apache knows.
        const strays = arrived.filter(
          ({ url, user }) => user !== 'ada' || !/^\/app(?:\/|$)/.test(new URL(url, 'http://app').pathname),
        )
        assert.deepEqual(strays, [])
      })
    }

    // A lease has nothing to do with the rest.
    if (leases) return

    for (const reading of Object.keys(readings).filter((name) => name !== 'usual')) {
      it(`does so where Apache reads slashes otherwise: ${reading} (FT-PATH-1)`, async () => {
        arrived.length = 0
        const host = nameOf(reading)
        for (const path of Object.values(places)) {
          const each = ['GET', 'POST', 'PROPFIND']
          assert.deepEqual(await sendAll(host, spellingsOf(path, host), isFitForStrangers, { each }), [])
        }
        assert.deepEqual(arrived, [])
      })
    }

    it('shows a stranger nothing of a host that is protected as a whole (FT-PATH-1)', async () => {
      const host = 'shop.example.org'
      const isFit = (answer: RawAnswer, call: Call) =>
        isFitForStrangers(answer, call) && !answer.body.includes(OPEN)
      assert.deepEqual(await sendAll(host, spellingsOf('/secret/page', host), isFit), [])
    })

    for (const path of [
      '/admin/users',
      '/api/v1/users/',
      '/auth/session/',
      '/account/sessions',
      '/metrics',
    ]) {
      it(`shows nobody what ${path} has not for them, on our own pages (FT-PATH-1)`, async () => {
        const host = 'auth.example.com'
        const spelled = pathSpellings(SPELLINGS, randomFrom(seed), { path, open: '/login', host })
        let ownName = 0
        // Numbers about the server are for whoever reaches its socket, and for nobody who comes through Apache.
        const isSecret = (body: string, isDirect: boolean) =>
          body.includes('canary') || (!isDirect && body.includes('# HELP'))
        const isFit = (isDirect: boolean) => (answer: RawAnswer) => {
          const { status, body } = answer
          const location = headerOf(answer, 'location') ?? '/'
          const staysHere = /^(?:\/(?![/\\])|https:\/\/auth\.example\.com\/)/.test(location)
          if (body.includes('"ada"')) ownName++
          return staysHere && !isSecret(body, isDirect) && (status < 500 || status === 501)
        }
        for (const direct of [undefined, { path: own.address }]) {
          const judge = isFit(direct !== undefined)
          assert.deepEqual(await sendAll(host, spelled, judge, { direct }), [])
          assert.equal(ownName, 0)
          const each = ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS']
          assert.deepEqual(await sendAll(host, spelled, judge, { direct, each, cookie: portal }), [])
          if (path === '/auth/session/') assert.ok(ownName > 0)
          ownName = 0
        }
      })
    }
  })

interface Sending {
  readonly cookie?: string
  readonly each?: readonly string[]
  /** Where to send it without Apache between. */
  readonly direct?: RawAddress | undefined
}

interface Call {
  readonly method: string
  readonly target: string
  readonly host: string
}

const cookies = (jar: ReadonlyMap<string, string> | undefined) =>
  [...(jar ?? [])].map(([name, value]) => `${name}=${value}`).join('; ')

function writeContents(folder: string): void {
  const contents = { secret: SECRET, guarded: SECRET, staff: STAFF, open: OPEN }
  for (const [name, text] of Object.entries(contents)) {
    mkdirSync(join(folder, 'srv', name), { recursive: true })
    writeFileSync(join(folder, 'srv', name, 'page'), `${text}\n`)
    mkdirSync(join(folder, 'htdocs', name), { recursive: true })
    writeFileSync(join(folder, 'htdocs', name, 'page'), `${SECRET}\n`)
  }
  mkdirSync(join(folder, 'tools'))
  const program = join(folder, 'tools', 'env')
  writeFileSync(program, `#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n${SECRET} $REMOTE_USER"\n`)
  chmodSync(program, 0o755)
}

/** The places of one virtual host. */
const textOfHost = (folder: string, port: number): string => `
  DocumentRoot "${folder}/srv/open"
  Alias "/open" "${folder}/srv/open"
  Alias "/secret" "${folder}/srv/secret"
  Alias "/guarded" "${folder}/srv/guarded"
  Alias "/staff" "${folder}/srv/staff"
  ScriptAlias "/tools/" "${folder}/tools/"
  ProxyPass "/app" "http://127.0.0.1:${port}/app"
  <Directory "${folder}/srv">
    Require all granted
  </Directory>
  <Directory "${folder}/tools">
    Require all granted
  </Directory>
  <Directory "${folder}/srv/guarded">
    Include watchword/protect-two-factor.conf
  </Directory>
  ${place('/secret', 'two-factor')}
  ${place('/tools', 'two-factor')}
  ${place('/app', 'two-factor')}
  ${place('/staff', 'group-staff')}`
