import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type RunningServer, startServer } from '../../src/http/server.ts'
import { type Browser, CALLER_SECRET, startWorld, type World } from '../world.ts'
import { selfSignedCertificate, temporaryFolder, untilListening } from './apache.ts'
import { freePort } from './free-port.ts'
import { type Visitor, visitor } from './protected.ts'

const guide = readFileSync(new URL('../../docs/proxies.md', import.meta.url), 'utf8')

/** The block of the guide in this language that has this text in it or in the paragraph above it. */
export function blockOf(language: string, mark: string): string {
  const blocks = [...guide.matchAll(/\n([^\n]+)\n\n```(\w+)\n([\s\S]*?)```/g)]
  const found = blocks.filter(([, above = '', kind, text = '']) => {
    return kind === language && (above.includes(mark) || text.includes(mark))
  })
  const [, , , text] = found[0] ?? []
  if (text === undefined || found.length > 1)
    throw new Error(`${found.length} blocks of ${language}: ${mark}`)
  return text
}

/** A world behind a proxy that is not Apache, with one protected host and an application behind it. */
export interface Proxied {
  readonly world: World
  /** Origin of the protected host. */
  readonly wiki: string
  readonly httpsPort: number
  /** Where Watchword listens. */
  readonly watchwordPort: number
  visitor(portal?: Browser): Visitor
  /** Ends Watchword and leaves the proxy alone. */
  stopWatchword(): Promise<void>
  startWatchword(): Promise<void>
  /** What the proxy wrote so far. */
  log(): string
  close(): Promise<void>
}

/** What a configuration is made from. */
export interface ProxiedPlace {
  readonly folder: string
  readonly httpsPort: number
  /** Where Watchword and the application listen. */
  readonly watchwordPort: number
  readonly applicationPort: number
  readonly certificate: string
  readonly key: string
  /** The file that Watchword keeps its secret in. */
  readonly secretFile: string
}

/** What the application saw of a request. */
export interface Seen {
  readonly method: string
  readonly target: string
  readonly headers: readonly string[]
  readonly body: string
}

/** The values of a header, however often it came. */
export const valuesOf = ({ headers }: Seen, name: string): string[] =>
  headers.filter((_, at) => at % 2 === 1 && headers[at - 1]?.toLowerCase() === name.toLowerCase())

/** Policies of a world behind a proxy, beside those that are built in. */
export const ownPolicies: World['config']['policies'] = {
  told: {
    ...{ groups: [], users: [], networks: [], within: undefined, assertion: true, lease: 0 },
    ...{ proof: 'two-factor', access: ['session'] },
  },
  field: {
    ...{ groups: [], users: [], networks: [], within: undefined, assertion: false, lease: 0 },
    ...{ proof: 'two-factor', access: ['session', 'password-code'], codeWindow: 600 },
  },
}

/**
 * Starts world, application and proxy.
 *
 * @param start writes the configuration and starts the proxy, in the foreground.
 */
export async function startProxied(start: (place: ProxiedPlace) => ChildProcess): Promise<Proxied> {
  const folder = temporaryFolder('ww-proxied-')
  const [httpsPort, watchwordPort] = [await freePort(), await freePort()]
  const wiki = `https://wiki.example.net:${httpsPort}`
  const world = await startWorld({ config: { login: { returnOrigins: [wiki] }, policies: ownPolicies } })
  const application = http.createServer((request, response) => {
    let body = ''
    request.setEncoding('latin1')
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      response.setHeader('content-type', 'application/json')
      const { method, url: target, rawHeaders: headers } = request
      response.end(JSON.stringify({ method, target, headers, body }))
    })
  })
  application.on('upgrade', (_request, socket) => {
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n')
  })
  await once(application.listen(0, '127.0.0.1'), 'listening')
  const { port: applicationPort } = application.address() as AddressInfo
  const file = (name: string) => join(folder, name)
  const [certificate, key, secretFile] = [file('certificate.pem'), file('key.pem'), file('authorizer-secret')]
  await selfSignedCertificate('wiki.example.net', certificate, key)
  writeFileSync(secretFile, `${CALLER_SECRET}\n`, { mode: 0o600 })

  let watchword: RunningServer | undefined
  const startWatchword = async () => {
    const listen = { kind: 'tcp', host: '127.0.0.1', port: watchwordPort } as const
    watchword = await startServer(world.app, listen, world.edge.securityHeaders)
  }
  const stopWatchword = async () => {
    await watchword?.stop()
    watchword = undefined
  }
  await startWatchword()
  const proxy = start({ folder, httpsPort, watchwordPort, applicationPort, certificate, key, secretFile })
  let log = ''
  for (const stream of [proxy.stdout, proxy.stderr]) {
    stream?.on('data', (chunk) => {
      log += chunk
    })
  }
  const close = async () => {
    if (proxy.exitCode === null && proxy.signalCode === null) {
      proxy.kill('SIGTERM')
      await once(proxy, 'exit')
    }
    application.closeAllConnections()
    application.close()
    await stopWatchword()
    await world.close()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await untilListening(httpsPort, proxy, () => log)
  } catch (error) {
    await close()
    throw error
  }
  return {
    world,
    wiki,
    httpsPort,
    watchwordPort,
    visitor: (portal = world.browser()) => visitor(portal, httpsPort, world.config.origin),
    stopWatchword,
    startWatchword,
    log: () => log,
    close,
  }
}

/** Starts nginx with the files of the guide, and more places in its virtual host and beside it. */
export function startNginx(
  place: ProxiedPlace,
  more: { readonly places?: string; readonly beside?: string } = {},
): ChildProcess {
  const { folder, httpsPort, watchwordPort, applicationPort, certificate, key, secretFile } = place
  const here = (text: string) =>
    text
      .replaceAll('/var/lib/watchword/authorizer-secret', secretFile)
      .replaceAll('/etc/nginx', folder)
      .replaceAll(/\/etc\/ssl\/certs\/[\w.]+/g, certificate)
      .replaceAll(/\/etc\/ssl\/private\/[\w.]+/g, key)
      .replaceAll('listen 443 ssl', `listen 127.0.0.1:${httpsPort} ssl`)
      .replaceAll('127.0.0.1:8000', `127.0.0.1:${watchwordPort}`)
      .replaceAll('127.0.0.1:3000', `127.0.0.1:${applicationPort}`)
  for (const mark of ['/etc/nginx/watchword/secret.conf', 'for policy in']) {
    execFileSync('sh', ['-c', here(blockOf('sh', mark)).replace('group-staff;', 'group-staff told;')])
  }
  for (const name of ['server.conf', 'place.conf']) {
    writeFileSync(join(folder, 'watchword', name), here(blockOf('nginx', `/etc/nginx/watchword/${name}`)))
  }
  const server = here(blockOf('nginx', 'server_name wiki.example.net'))
  const own = here(blockOf('nginx', 'server_name auth.example.com'))
  const socket = here(blockOf('nginx', 'location /socket'))
  writeFileSync(
    join(folder, 'nginx.conf'),
    `
${process.getuid?.() === 0 ? 'user www-data;' : ''}
daemon off;
pid ${folder}/nginx.pid;
error_log stderr info;
worker_processes 1;
events {}
http {
  access_log ${folder}/access.log;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  ${server.replace(/\}\s*$/, `${socket}${here(more.places ?? '')}\n}`)}
  ${own}
  ${here(more.beside ?? '')}
}
`,
  )
  return spawn('/usr/sbin/nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** The status by which the opening of a WebSocket is answered: 101 where it opens. */
export async function openWebSocket({ wiki, httpsPort }: Proxied, visitor: Visitor): Promise<number> {
  const cookie = [...(visitor.jars.get(wiki) ?? [])].map((pair) => pair.join('=')).join('; ')
  const request = https.get({
    ...{ host: '127.0.0.1', port: httpsPort, servername: 'wiki.example.net', path: '/socket' },
    ...{ rejectUnauthorized: false, agent: false },
    headers: {
      ...{ host: new URL(wiki).host, connection: 'Upgrade', upgrade: 'websocket', cookie },
      ...{ 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' },
      'sec-fetch-mode': 'websocket',
    },
  })
  const answered = Promise.race([once(request, 'upgrade'), once(request, 'response')])
  const [answer] = (await answered) as [http.IncomingMessage]
  answer.destroy()
  return answer.statusCode ?? 0
}

/** What our own pages, which the proxy has beside the host, answer to a stranger, also to one who asks as a proxy does. */
export async function visitOwnPages({ visitor, wiki, httpsPort }: Proxied) {
  const stranger = visitor()
  const own = `https://auth.example.com:${httpsPort}`
  return {
    login: await stranger.get(`${own}/login`),
    metrics: await stranger.get(`${own}/metrics`),
    asked: await stranger.get(`${own}/api/authorize?policy=two-factor`, {
      ...{ 'X-Watchword-Secret': CALLER_SECRET, 'X-Forwarded-For': '127.0.0.1', 'X-Forwarded-Method': 'GET' },
      ...{ 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': new URL(wiki).host, 'X-Forwarded-Uri': '/' },
    }),
  }
}

/** Files for a proxy to serve. */
export function pages(folder: string): string {
  const root = join(folder, 'htdocs')
  mkdirSync(join(root, 'files'), { recursive: true })
  writeFileSync(join(root, 'files', 'index.html'), 'the page of the wiki\n')
  return root
}

/** Starts Caddy with the text of the guide. */
export function startCaddy(place: ProxiedPlace): ChildProcess {
  const { folder, httpsPort, watchwordPort, applicationPort, certificate, key, secretFile } = place
  const secret = blockOf('sh', 'WATCHWORD_SECRET')
    .replaceAll('/var/lib/watchword/authorizer-secret', secretFile)
    .replaceAll('/etc/', `${folder}/`)
    .replaceAll(/^systemctl .*$/gm, '')
  mkdirSync(join(folder, 'caddy'))
  execFileSync('sh', ['-c', secret])
  const [name = '', ...value] = readFileSync(join(folder, 'caddy', 'watchword.env'), 'utf8')
    .trim()
    .split('=')
  const text = `{
	admin off
	auto_https disable_redirects
	skip_install_trust
}
${blockOf('caddyfile', 'a snippet a policy')}
${blockOf('caddyfile', 'And the places')}
${blockOf('caddyfile', 'auth.example.com {')}`
  writeFileSync(
    join(folder, 'Caddyfile'),
    text
      .replaceAll(
        /^(\w+\.example\.\w+) \{/gm,
        `$1:${httpsPort} {\n\tbind 127.0.0.1\n\ttls ${certificate} ${key}`,
      )
      .replaceAll('127.0.0.1:8000', `127.0.0.1:${watchwordPort}`)
      .replaceAll('127.0.0.1:3000', `127.0.0.1:${applicationPort}`),
  )
  return spawn('/usr/bin/caddy', ['run', '--config', join(folder, 'Caddyfile'), '--adapter', 'caddyfile'], {
    env: { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder, [name]: value.join('=') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}
