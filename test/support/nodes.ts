import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { balancedConfiguration } from '../../src/apache/balancer.ts'
import type { VhostBackend } from '../../src/apache/vhost.ts'
import { type Composed, compose } from '../../src/compose.ts'
import { type Config, loadConfig } from '../../src/config/load.ts'
import { printListen } from '../../src/config/values.ts'
import { hashToken, type Token } from '../../src/domain/token.ts'
import type { UserId } from '../../src/domain/user.ts'
import * as sessions from '../../src/store/sessions.ts'
import * as siteSessions from '../../src/store/site-sessions.ts'
import { type Apache, type ApachePlace, request, startApache, temporaryFolder } from './apache.ts'
import { freePort } from './free-port.ts'
import { type Postgres, startPostgres } from './postgres.ts'
import { until } from './until.ts'
import { environment, runWatchword, startWatchword, type Watchword } from './watchword.ts'

/** Two nodes of the real program on one PostgreSQL, behind one real Apache over TLS. */
export interface NodesWorld {
  readonly origin: string
  readonly apache: Apache
  readonly postgres: Postgres
  readonly config: Config
  /** On the same database; the clock is the system's. */
  readonly services: Composed['services']
  readonly nodes: readonly [Node, Node]
  command(args: readonly string[], stdin?: string): Promise<string>
  /** Both run, and Apache asks both. */
  both(): Promise<void>
  /** This one runs and answers, and the other was killed. */
  keep(node: Node): Promise<void>
  close(): Promise<void>
}

/** One process; at loopback the first, at a socket the second. */
export interface Node {
  readonly settings: Record<string, string>
  isRunning(): boolean
  pid(): number
  log(): string
  start(): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
}

export interface NodesOptions {
  /** More virtual hosts, the text for the whole server, and modules besides those of the balancer. */
  readonly hosts?: (place: ApachePlace) => string
  readonly modules?: readonly string[]
  /** Runs before Apache is started, with the settings of the first node. */
  readonly prepare?: (apacheFolder: string, settings: Record<string, string>, folder: string) => Promise<void>
  /** Where the second node listens; a socket unless told. */
  readonly second?: 'tcp'
  /** Settings of one node, besides those that all have. */
  readonly settings?: (index: number, folder: string) => Record<string, string>
}

/** What Apache needs for `watchword apache vhost --node`, besides the modules of every test. */
const balancerModules = ['proxy_balancer', 'proxy_hcheck', 'slotmem_shm', 'lbmethod_bybusyness']

export async function startNodes(options: NodesOptions = {}): Promise<NodesWorld> {
  const folder = temporaryFolder('ww-nodes-')
  const closing: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (const end of closing.toReversed()) await end()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const postgres = await startPostgres()
    closing.push(() => postgres.stop())
    const database = await postgres.createDatabase('watchword')
    const listens: readonly [VhostBackend, VhostBackend] = [
      { kind: 'tcp', host: '127.0.0.1', port: await freePort() },
      options.second === 'tcp'
        ? { kind: 'tcp', host: '127.0.0.1', port: await freePort() }
        : { kind: 'unix', path: join(folder, 'second.sock') },
    ]
    // Key file and secret are the same for all nodes, as the guide has it.
    const settingsOf = (index: number, listen: VhostBackend) =>
      environment(join(folder, `node-${index}`), {
        ...wide,
        // By which a test tells in the database whose connection it is.
        WATCHWORD_DATABASE: `${database}&application_name=node-${index}`,
        WATCHWORD_KEY_FILE: join(folder, 'keys.json'),
        WATCHWORD_AUTHORIZER_SECRET_FILE: join(folder, 'authorizer-secret'),
        WATCHWORD_LISTEN: printListen(listen),
        WATCHWORD_SOCKET_MODE: '666',
        WATCHWORD_TRUSTED_PROXIES: '127.0.0.1',
        ...options.settings?.(index, folder),
      })
    const settings = [settingsOf(1, listens[0]), settingsOf(2, listens[1])] as const
    const apache = await startApache({
      extraModules: [...balancerModules, ...(options.modules ?? [])],
      vhost: (place) => {
        for (const each of settings) {
          each.WATCHWORD_ORIGIN = `https://${place.serverName}:${place.httpsPort}`
          each.WATCHWORD_LOGIN_RETURN_ORIGINS = `https://wiki.example.net:${place.httpsPort}`
        }
        return [options.hosts?.(place) ?? '', balancedConfiguration({ ...place, nodes: listens })].join('\n')
      },
      prepare: async (prefix) => options.prepare?.(prefix, settings[0], folder),
    })
    closing.push(() => apache.stop())
    const nodes = [
      nodeOf(join(folder, 'node-1'), settings[0]),
      nodeOf(join(folder, 'node-2'), settings[1]),
    ] as const
    closing.push(() => Promise.all(nodes.map((node) => node.kill())))
    await nodes[0].start()
    await nodes[1].start()
    const config = loadConfig({ cwd: folder, env: settings[0] })
    const composed = await compose(config)
    closing.push(() => composed.close())
    const origin = config.origin
    const both = async () => {
      for (const node of nodes) if (!node.isRunning()) await node.start()
      const begun = nodes.map(asked)
      await until(async () => {
        await call(apache, 'POST', '/auth/logout/')
        return nodes.every((node, index) => asked(node) > (begun[index] ?? 0))
      }, 'both nodes are asked')
    }
    return {
      ...{ origin, apache, postgres, config, services: composed.services, nodes, close, both },
      command: (args, stdin = '') => runWatchword(folder, settings[0], { args, stdin }),
      async keep(node) {
        if (!node.isRunning()) await node.start()
        for (const other of nodes) if (other !== node) await other.kill()
        await answers(apache)
      },
    }
  } catch (fault) {
    await close()
    throw fault
  }
}

/** Gives somebody a session that protected hosts know; its cookie of our pages, and the token at each host. */
export async function enter(
  { services }: Pick<NodesWorld, 'services'>,
  { id: userId }: { readonly id: UserId },
  hosts: readonly string[],
): Promise<{ readonly own: string; readonly tokens: readonly Token[] }> {
  const { db, newToken, newId } = services
  const [token, id, now] = [newToken(), newId(), services.now()]
  await sessions.insert(db, {
    ...{ id, userId, amr: ['pwd', 'otp'], authTime: now, createdAt: now, lastSeenAt: now },
    ...{ expiresAt: now + 3600, address: '', userAgent: '', tokenHash: hashToken(token) },
  })
  const tokens = hosts.map(() => newToken())
  for (const [index, host] of hosts.entries()) {
    const tokenHash = hashToken(tokens[index] ?? token)
    await siteSessions.replace(db, { tokenHash, sessionId: id, host }, now)
  }
  return { own: `__Host-watchword-session=${token}`, tokens }
}

/** The cookie of a protected host. */
export const siteCookie = (token: Token | undefined): string => `__Host-watchword-site=${token}`

/** The virtual host of the wiki: everything in it is a place, served from a folder of Apache. */
export const wikiHost = ({ httpsPort, certificate, key }: ApachePlace): string => `
Include conf-available/watchword-authorizer.conf
<VirtualHost *:${httpsPort}>
  ServerName wiki.example.net
  SSLEngine on
  SSLCertificateFile "${certificate}"
  SSLCertificateKeyFile "${key}"
  DocumentRoot "${dirname(certificate)}/htdocs"
  DirectoryIndex index.html
  <Directory "${dirname(certificate)}/htdocs">
    Require all granted
  </Directory>
  <Location "/">
    Include watchword/protect-two-factor.conf
  </Location>
</VirtualHost>`

/** Modules of places, for `NodesOptions`. */
export const placeModules = ['authn_core', 'authz_user', 'authnz_fcgi', 'setenvif', 'dir']

/** Everybody of a test comes from one address. */
const wide = {
  WATCHWORD_THROTTLE_NETWORK_LIMIT: '10000',
  WATCHWORD_THROTTLE_SITE_LIMIT: '10000',
}

function nodeOf(folder: string, settings: Record<string, string>): Node {
  let running: Watchword | undefined
  let logs = ''
  return {
    settings,
    isRunning: () => running !== undefined,
    pid: () => running?.pid ?? assert.fail('the node does not run'),
    log: () => logs + (running?.stderr() ?? ''),
    async start() {
      running = await startWatchword(folder, settings)
    },
    async kill() {
      const ended = running
      running = undefined
      await ended?.kill()
      logs += ended?.stderr() ?? ''
    },
  }
}

/** How often somebody signed out at a node. */
const asked = (node: Node): number => node.log().split('"route":"/auth/logout/"').length

/** Waits until Apache has noticed that a node is back: it looks every two seconds. */
const answers = (apache: Apache): Promise<void> =>
  until(async () => (await call(apache, 'GET', '/readyz')) === 200, 'Apache finds a node')

async function call(
  { httpsPort: port, serverName, certificate: ca }: Apache,
  method: string,
  path: string,
): Promise<number> {
  return (await request({ port, method, path, serverName, ca })).status
}
