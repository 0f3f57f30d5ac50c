import { once } from 'node:events'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { changeGroup } from '../../src/actions/change-group.ts'
import { vhostConfiguration } from '../../src/apache/vhost.ts'
import { type RunningServer, startServer } from '../../src/http/server.ts'
import { type ProtectedWorld, place, startProtected } from '../../test/support/protected.ts'

/** What stands in every answer that somebody had to sign in for, in that of members of the staff, and in an open one. */
export const [SECRET, STAFF, OPEN] = ['canary-secret-4711', 'canary-staff-4712', 'for everybody']

export const [WIKI, SHOP, OWN] = ['wiki.example.net', 'shop.example.org', 'auth.example.com']

/** How Apache may be told to read slashes; each is a virtual host with the same places, beside the usual one. */
const readings = {
  encoded: 'AllowEncodedSlashes On',
  kept: 'AllowEncodedSlashes NoDecode',
  unmerged: 'MergeSlashes Off',
  both: 'AllowEncodedSlashes NoDecode\n  MergeSlashes Off',
} as const
const nameOf = (reading: string) => `${reading}.example.net`
export const otherReaders = Object.keys(readings).map(nameOf)

/** Protected places of every kind, by their path. */
export const places = {
  files: '/secret/page',
  'a folder by its <Directory>': '/guarded/page',
  'a program': '/tools/env',
  'an application behind ProxyPass': '/app/page',
  'a place of a group': '/staff/page',
} as const

/** Hosts with protected places, and our own pages, behind one Apache. */
export interface SpelledPlaces {
  readonly httpsPort: number
  /** The socket of our own pages, past Apache. */
  readonly ownSocket: string
  /** Cookies of somebody who is signed in with two factors and not of the staff: of a protected host, and of our pages. */
  readonly member: string
  readonly portal: string
  /** What came to the application: the path, and who it was told that asks. */
  readonly arrived: { url: string; user: string | undefined }[]
  close(): Promise<void>
}

export async function startSpelledPlaces(leases: boolean): Promise<SpelledPlaces> {
  const arrived: SpelledPlaces['arrived'] = []
  const application = http.createServer((request, response) => {
    arrived.push({ url: request.url ?? '', user: request.headers['x-remote-user']?.toString() })
    response.end(SECRET)
  })
  await once(application.listen(0, '127.0.0.1'), 'listening')
  const { port } = application.address() as AddressInfo
  let socket = ''
  const here: ProtectedWorld = await startProtected({
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
        ...Object.entries(readings).map(
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
        vhostConfiguration({ ...at, serverName: OWN, backend: { kind: 'unix', path: socket } }),
      ].join('\n'),
  })
  const { world } = here
  await world.user('canary-person')
  const own: RunningServer = await startServer(
    world.app,
    { kind: 'unix', path: socket, mode: 0o666 },
    world.edge.securityHeaders,
  )
  await changeGroup(world.services, { kind: 'create', group: 'staff' }, { operator: 'test' })
  const { browser } = await world.enrolled('ada')
  const portal = cookies(browser.cookies)
  const visitor = here.visitor(browser)
  const { status } = await visitor.open(`${here.wiki}/secret/page`)
  if (status !== 200) throw new Error(`A member is answered ${status}.`)
  return {
    ...{ httpsPort: here.apache.httpsPort, ownSocket: own.address, portal, arrived },
    member: cookies(visitor.jars.get(here.wiki)),
    async close() {
      await own.stop()
      await here.close()
      application.close()
    },
  }
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
