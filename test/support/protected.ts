import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type AuthorizerServer, startAuthorizerServer } from '../../src/apache/fastcgi/server.ts'
import { startLeases } from '../../src/apache/leases/start.ts'
import { createAuthorizer } from '../../src/authorizer/authorizer.ts'
import { readCallerSecret } from '../../src/crypto/caller-secret.ts'
import { type Browser, type Enrolled, PASSWORD, startWorld, type World } from '../world.ts'
import { type Apache, type ApachePlace, startApache, temporaryFolder } from './apache.ts'
import { freePort } from './free-port.ts'
import { environment } from './watchword.ts'

const launcher = fileURLToPath(new URL('../../bin/watchword.js', import.meta.url))

/** Two hosts of different domains behind one real Apache, configured by `watchword apache install`. */
export interface ProtectedWorld {
  readonly world: World
  readonly apache: Apache
  /** Origins of the hosts. */
  readonly wiki: string
  readonly shop: string
  /** A browser at a protected host and at our pages. */
  visitor(portal?: Browser): Visitor
  stopAuthorizer(): Promise<void>
  startAuthorizer(): Promise<void>
  /** Where leases are; the same path where there are none. */
  readonly leaseDirectory: string
  /** Runs a command of the program beside this server, on its database; gives what it said. */
  command(...args: readonly string[]): string
  close(): Promise<void>
}

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** A client with a jar for each host, which follows nothing by itself. */
export interface Visitor {
  readonly portal: Browser
  /** Cookies of protected hosts: origin, then name. */
  readonly jars: Map<string, Map<string, string>>
  get(
    address: string,
    headers?: Readonly<Record<string, string>>,
    method?: string,
    body?: string,
  ): Promise<Reply>
  /** As a person does: follows redirects between the hosts and our pages; gives the last answer. */
  open(address: string): Promise<Reply & { readonly address: string; readonly hops: readonly string[] }>
}

export interface ProtectedOptions {
  /** Text of the virtual host of the wiki, and of the shop. */
  readonly wiki: (folder: string) => string
  readonly shop: (folder: string) => string
  readonly files?: (folder: string) => void
  /** Tables of the settings, as the program spells them and as TOML does. */
  readonly policies?: World['config']['policies']
  readonly toml?: string
  readonly modules?: readonly string[]
  /** With leases, and a clock that ticks with Apache's. */
  readonly leases?: boolean
  /** Text of more virtual hosts. */
  readonly hosts?: (place: ApachePlace, folder: string) => string
  /** The name of the first host, `wiki.example.net` unless told; programs that look names up need `localhost`. */
  readonly name?: string
}

export async function startProtected(options: ProtectedOptions): Promise<ProtectedWorld> {
  const folder = temporaryFolder('ww-protected-')
  const name = options.name ?? 'wiki.example.net'
  const port = await freePort()
  const leaseDirectory = join(folder, 'leases')
  const leases = options.leases === true ? { WATCHWORD_AUTHORIZER_LEASE_DIRECTORY: leaseDirectory } : {}
  const env = environment(folder, { WATCHWORD_AUTHORIZER_LISTEN: `127.0.0.1:${port}`, ...leases })
  writeFileSync(join(folder, 'watchword.toml'), options.toml ?? '')
  const apache = await startApache({
    ...(options.name !== undefined && { serverName: options.name }),
    extraModules: [
      ...['authn_core', 'authz_user', 'authnz_fcgi', 'setenvif', 'cgi', 'dir'],
      ...(options.modules ?? []),
    ],
    vhost: (place) => {
      const prefix = dirname(place.certificate)
      execFileSync(
        process.execPath,
        [launcher, 'apache', 'install', '--prefix', prefix, '--group', 'staff'],
        {
          cwd: folder,
          env,
        },
      )
      options.files?.(prefix)
      return [
        `Include conf-available/watchword-authorizer.conf`,
        host(place, name, options.wiki(prefix)),
        host(place, 'shop.example.org', options.shop(prefix)),
        options.hosts?.(place, prefix) ?? '',
      ].join('\n')
    },
  })
  const [wiki, shop] = [name, 'shop.example.org'].map((each) => `https://${each}:${apache.httpsPort}`)
  if (wiki === undefined || shop === undefined) throw new Error('two hosts')
  const world = await startWorld({
    ticking: options.leases === true,
    config: {
      login: { returnOrigins: [wiki, shop] },
      policies: options.policies ?? {},
      ...(options.leases === true && { authorizer: { leaseDirectory } }),
    },
  })
  let server: AuthorizerServer | undefined
  let running: ReturnType<typeof startLeases> | undefined
  const secret = readCallerSecret(join(folder, 'data', 'authorizer-secret'))
  const startAuthorizer = async () => {
    const decide = createAuthorizer(world.services, {
      origin: world.config.origin,
      hosts: new Set([wiki, shop]),
      metrics: world.edge.metrics,
    })
    running = startLeases(decide, {
      ...world.services,
      directory: world.config.authorizer.leaseDirectory,
      secret,
      // A file of SQLite has no other nodes.
      listen: (listener) => {
        listener.connected()
        return async () => {}
      },
      failed: (error) => console.error(error),
    })
    server = await startAuthorizerServer({
      host: '127.0.0.1',
      port,
      secret,
      handle: running.handle,
      watch: { failed: (error) => console.error(error) },
    })
  }
  await startAuthorizer()
  return {
    world,
    apache,
    wiki,
    shop,
    visitor: (portal = world.browser()) => visitor(portal, apache.httpsPort, world.config.origin),
    startAuthorizer,
    leaseDirectory,
    command: (...args) =>
      execFileSync(process.execPath, [launcher, ...args], {
        cwd: folder,
        env: { ...env, WATCHWORD_DATA: world.config.data },
        encoding: 'utf8',
      }),
    stopAuthorizer: async () => {
      await server?.stop()
      await running?.stop()
      server = undefined
    },
    async close() {
      await server?.stop()
      await running?.stop()
      await apache.stop()
      await world.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const host = ({ httpsPort, certificate, key }: ApachePlace, name: string, text: string): string => `
<VirtualHost *:${httpsPort}>
  ServerName ${name}
  SSLEngine on
  SSLCertificateFile "${certificate}"
  SSLCertificateKeyFile "${key}"
${text}
</VirtualHost>
`

/** A visitor of hosts that all are at one port of this machine. */
export function visitor(portal: Browser, port: number, ownOrigin: string): Visitor {
  const jars: Visitor['jars'] = new Map()
  const get: Visitor['get'] = async (address, headers = {}, method = 'GET', body = undefined) => {
    const url = new URL(address)
    const jar = jars.get(url.origin) ?? new Map<string, string>()
    jars.set(url.origin, jar)
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const reply = await send(port, url, {
      method,
      body,
      headers: { accept: 'text/html', ...(cookie !== '' && { cookie }), ...headers },
    })
    for (const line of [reply.headers['set-cookie'] ?? []].flat()) {
      const [pair = '', ...attributes] = line.split('; ')
      const name = pair.slice(0, pair.indexOf('='))
      if (attributes.includes('Max-Age=0')) jar.delete(name)
      else jar.set(name, pair.slice(name.length + 1))
    }
    return reply
  }
  return {
    portal,
    jars,
    get,
    async open(first) {
      const hops: string[] = []
      let address = first
      for (;;) {
        hops.push(address)
        if (hops.length > 12) throw new Error(`in circles: ${hops.join(' ')}`)
        const url = new URL(address)
        const isOwn = url.origin === ownOrigin
        const reply = isOwn ? await ofPortal(portal, url) : await get(address)
        const location = reply.headers.location
        if (typeof location !== 'string') return { ...reply, address, hops }
        address = new URL(location, address).href
      }
    },
  }
}

/** Signs in at the page that a protected place led to; gives the address that it goes on at. */
export async function signInWhereAsked(
  { portal }: Visitor,
  asked: { readonly address: string },
  { username, phone }: Pick<Enrolled, 'username' | 'phone'>,
): Promise<string> {
  await portal.post('/auth/authenticate/', { username, password: PASSWORD, otp: phone.code() })
  return new URL(new URL(asked.address).searchParams.get('return_to') ?? '', asked.address).href
}

async function ofPortal(portal: Browser, url: URL): Promise<Reply> {
  const reply = await portal.get(url.pathname + url.search, { accept: 'text/html' })
  return { status: reply.status, headers: Object.fromEntries(reply.headers), body: reply.text }
}

/** One request over TLS to 127.0.0.1; the certificate is not looked at: one serves all hosts of a test. */
export function send(
  port: number,
  url: URL,
  given: {
    readonly method: string
    readonly headers: Record<string, string>
    readonly body: string | undefined
  },
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = https.request(
      {
        host: '127.0.0.1',
        port,
        path: url.pathname + url.search,
        method: given.method,
        headers: { host: url.host, ...given.headers },
        servername: url.hostname,
        rejectUnauthorized: false,
        agent: false,
        timeout: 60_000,
      },
      (answer) => {
        let body = ''
        answer.setEncoding('utf8')
        answer.on('data', (chunk) => {
          body += chunk
        })
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }))
      },
    )
    request.on('error', reject)
    request.end(given.body)
  })
}

/** A place as the guide has it; the files are those that `watchword apache install` wrote. */
export const place = (path: string, policy: string, more = ''): string => `
  <Location "${path}">
    Include watchword/protect-${policy}.conf${more}
  </Location>`

/** Files to serve: a page, and a program that prints its environment. */
export function contents(folder: string): void {
  mkdirSync(join(folder, 'htdocs', 'php'), { recursive: true })
  writeFileSync(join(folder, 'htdocs', 'index.html'), 'the page of the wiki\n')
  writeFileSync(
    join(folder, 'htdocs', 'php', 'index.cgi'),
    '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n"\nenv\n',
  )
  mkdirSync(join(folder, 'cgi'))
  writeFileSync(join(folder, 'cgi', 'env'), '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n"\nenv\n')
  for (const path of [join(folder, 'cgi', 'env'), join(folder, 'htdocs', 'php', 'index.cgi')])
    chmodSync(path, 0o755)
}

/** Text of a host that serves them: the page at `/`, the program at `/php/` and at `/cgi/env`. */
export const hostOfContents = (folder: string): string => `
  DocumentRoot "${folder}/htdocs"
  ScriptAlias "/cgi/" "${folder}/cgi/"
  <Directory "${folder}/htdocs">
    Require all granted
    DirectoryIndex index.cgi index.html
    Options +ExecCGI
    <FilesMatch "\\.cgi$">
      SetHandler cgi-script
    </FilesMatch>
  </Directory>
  <Directory "${folder}/cgi">
    Require all granted
  </Directory>`
