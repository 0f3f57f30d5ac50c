import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from './free-port.ts'

const run = promisify(execFile)

/** What a virtual host of a test is written from. */
export interface ApachePlace {
  readonly httpPort: number
  readonly httpsPort: number
  readonly serverName: string
  /** Paths of the self-signed certificate and of its key. */
  readonly certificate: string
  readonly key: string
}

export interface ApacheOptions {
  /** Text that stands in the configuration verbatim. */
  readonly vhost: (place: ApachePlace) => string
  /** Name that the certificate is for; `auth.example.com` unless told. */
  readonly serverName?: string
  /** Writes what the text includes, when the folder is there and before the configuration is tested. */
  readonly prepare?: (folder: string) => Promise<void>
  /** Modules besides the usual ones, without `mod_` and `.so`. */
  readonly extraModules?: readonly string[]
  /** Text for the server itself, before the virtual hosts. */
  readonly extra?: string
}

/** A real Apache httpd of one test file. */
export interface Apache {
  readonly httpPort: number
  readonly httpsPort: number
  readonly serverName: string
  /** The certificate, PEM; what a client must trust. */
  readonly certificate: string
  /** Temporary folder of this server; readable by its workers. */
  readonly folder: string
  /** What `apache2 -t` said. */
  readonly configtest: string
  errorLog(): string
  accessLog(): string
  /** Ends the server at once and removes the folder. Safe to call twice. */
  stop(): Promise<void>
}

/**
 * Starts Debian's Apache with a small configuration and the given virtual hosts, on free ports of 127.0.0.1.
 *
 * Its workers run as `www-data` when the tests run as root, as they do on Debian. It dies with this process,
 * however this process ends.
 *
 * @throws what `configtest` or the error log says, when Apache does not take the configuration.
 */
export async function startApache(options: ApacheOptions): Promise<Apache> {
  const serverName = options.serverName ?? 'auth.example.com'
  const folder = temporaryFolder('ww-apache-')
  const file = (name: string): string => join(folder, name)
  let server: ChildProcess | undefined

  async function stop(): Promise<void> {
    const child = server
    server = undefined
    if (child && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    }
    rmSync(folder, { recursive: true, force: true })
  }

  try {
    mkdirSync(file('htdocs'))
    await selfSignedCertificate(serverName, file('certificate.pem'), file('key.pem'))
    const [httpPort, httpsPort] = [await freePort(), await freePort()]
    const place = {
      httpPort,
      httpsPort,
      serverName,
      certificate: file('certificate.pem'),
      key: file('key.pem'),
    }
    writeFileSync(file('apache2.conf'), [prelude(folder, place, options), options.vhost(place)].join('\n'))
    await options.prepare?.(folder)
    const configtest = await testConfiguration(folder)
    const log = openSync(file('output.log'), 'a')
    const foreground = ['-d', folder, '-f', file('apache2.conf'), '-DFOREGROUND']
    // pdeathsig: a test file that is killed runs no clean-up, and must leave no server behind.
    server = spawn('setpriv', ['--pdeathsig', 'TERM', apache2, ...foreground], {
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    await untilListening(httpsPort, server, () => read(file('output.log')) + read(file('error.log')))
    return {
      httpPort,
      httpsPort,
      serverName,
      folder,
      configtest,
      stop,
      certificate: read(place.certificate),
      errorLog: () => read(file('error.log')),
      accessLog: () => read(file('access.log')),
    }
  } catch (fault) {
    await stop()
    throw fault
  }
}

/** A new folder that the workers of Apache can enter; for files to serve and for sockets. */
export function temporaryFolder(prefix: string): string {
  const folder = mkdtempSync(join(tmpdir(), prefix))
  chmodSync(folder, 0o755)
  return folder
}

export interface ClientRequest {
  readonly port: number
  readonly path: string
  /** Name for SNI, for the check of the certificate and, unless `headers` has one, for `Host`. */
  readonly serverName: string
  /** The certificate to trust; without it the request goes out in the clear. */
  readonly ca?: string
  readonly method?: string
  /** In this order and spelling; a name may come more than once. */
  readonly headers?: Readonly<Record<string, string>> | readonly (readonly [string, string])[]
  readonly body?: string | Uint8Array
  /** For several requests on one connection; `http.Agent` or `https.Agent` as `ca` is absent or given. */
  readonly agent?: http.Agent
}

export interface ClientAnswer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[]
  readonly body: string
}

/** One request to 127.0.0.1, whatever the name; redirects are not followed. Gives up after 15 seconds. */
export function request(given: ClientRequest): Promise<ClientAnswer> {
  const { port, path, serverName, ca, method = 'GET', body, agent } = given
  const headers = [...(Array.isArray(given.headers) ? given.headers : Object.entries(given.headers ?? {}))]
  const has = (name: string): boolean => headers.some(([key]) => key.toLowerCase() === name)
  if (!has('host')) headers.unshift(['Host', serverName])
  if (body !== undefined && !has('content-length') && !has('transfer-encoding')) {
    headers.push(['Content-Length', String(Buffer.byteLength(body))])
  }
  const options = {
    host: '127.0.0.1',
    port,
    path,
    method,
    headers: headers.flat(),
    agent: agent ?? false,
    timeout: 60_000,
  }
  return new Promise((resolve, reject) => {
    const outgoing =
      ca === undefined ? http.request(options) : https.request({ ...options, ca, servername: serverName })
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer: ${method} ${path}`)))
    outgoing.on('error', reject)
    outgoing.on('response', (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('end', () => {
        const { statusCode: status = 0, headers, rawHeaders } = answer
        resolve({ status, headers, rawHeaders, body: Buffer.concat(chunks).toString() })
      })
    })
    outgoing.end(body)
  })
}

const apache2 = '/usr/sbin/apache2'

const usualModules = [
  ...['mpm_event', 'authz_core', 'alias', 'env', 'reqtimeout'],
  ...['headers', 'socache_shmcb', 'ssl', 'proxy', 'proxy_http'],
]

function prelude(folder: string, place: ApachePlace, options: ApacheOptions): string {
  const modules = [...new Set([...usualModules, ...(options.extraModules ?? [])])]
  return `
ServerRoot "${folder}"
ServerName localhost
PidFile "${folder}/apache2.pid"
DefaultRuntimeDir "${folder}"
${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
Listen 127.0.0.1:${place.httpPort}
Listen 127.0.0.1:${place.httpsPort}
${process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : ''}
ErrorLog "${folder}/error.log"
LogLevel info
LogFormat "%v:%p %a \\"%r\\" %>s %O" plain
CustomLog "${folder}/access.log" plain
DocumentRoot "${folder}/htdocs"
StartServers 1
ThreadsPerChild 32
MaxRequestWorkers 64
<Directory "/">
  Options FollowSymLinks
  AllowOverride None
  Require all denied
</Directory>
${options.extra ?? ''}`
}

/** Makes a certificate of a name and its key, as files of PEM. */
export async function selfSignedCertificate(
  serverName: string,
  certificate: string,
  key: string,
): Promise<void> {
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', `/CN=${serverName}`, '-addext', `subjectAltName=DNS:${serverName}`],
    ...['-keyout', key, '-out', certificate],
  ])
}

async function testConfiguration(folder: string): Promise<string> {
  try {
    const { stdout, stderr } = await run(apache2, ['-t', '-d', folder, '-f', join(folder, 'apache2.conf')])
    return stdout + stderr
  } catch (fault) {
    throw new Error(`configtest refused the configuration:\n${(fault as { stderr?: string }).stderr}`, {
      cause: fault,
    })
  }
}

/** Resolves when somebody listens at a port of loopback, and fails if the server ends before. */
export async function untilListening(port: number, server: ChildProcess, log: () => string): Promise<void> {
  for (let attempt = 0; attempt < 2400; attempt++) {
    if (server.exitCode !== null || server.signalCode !== null) break
    const socket = connect(port, '127.0.0.1')
    // Nobody there yet is an error event, which `once` turns into a rejection.
    const connected = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (connected) return
    await delay(25)
  }
  throw new Error(`The server did not start:\n${log()}`)
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // Not written yet, or gone with the folder.
  }
}
