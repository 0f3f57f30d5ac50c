import { execFileSync, spawnSync } from 'node:child_process'
import { chownSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Apache, type ApachePlace, startApache, temporaryFolder } from './apache.ts'
import { freePort } from './free-port.ts'
import { until } from './until.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))

/** Whom Passenger runs Watchword as: it never does so as root. */
const user = process.getuid?.() === 0 ? 'nobody' : userInfo().username

/** A real Apache that runs Watchword itself, by the configuration of `watchword apache passenger`. */
export interface PassengerWorld {
  readonly apache: Apache
  readonly origin: string
  /** Origin of a host of the same Apache with a protected place, `/secret/`. */
  readonly wiki: string
  readonly data: string
  /** Processes of Watchword that Passenger has running. */
  processes(): number[]
  /** Runs a command of the program beside the server, as the same user. */
  command(args: readonly string[], stdin?: string): string
  close(): Promise<void>
}

export async function startPassenger(): Promise<PassengerWorld> {
  const folder = temporaryFolder('ww-passenger-')
  const data = join(folder, 'data')
  const settings = join(folder, 'watchword.toml')
  const root = reachable(folder)
  mkdirSync(data, { mode: 0o700 })
  const [uid = 0, gid = 0] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, user])))
  const group = execFileSync('id', ['-gn', user], { encoding: 'utf8' }).trim()
  chownSync(data, uid, gid)

  const env = { PATH: process.env.PATH ?? '', HOME: folder }
  const run = (
    args: readonly string[],
    more: { input?: string; uid?: number; gid?: number } = {},
  ): string => {
    const node = join(root, 'node_modules', '.bin', 'node')
    const words = [join(root, 'bin', 'watchword.js'), '--config', settings, ...args]
    const ran = spawnSync(node, words, { cwd: folder, env, encoding: 'utf8', ...more })
    if (ran.status !== 0) throw new Error(`watchword ${args.join(' ')}: ${ran.stderr}`)
    return ran.stdout
  }

  const authorizer = await freePort()
  const apache = await startApache({
    extraModules: ['authn_core', 'authz_user', 'authnz_fcgi', 'setenvif', 'passenger'],
    extra: `
PassengerRoot /usr/lib/ruby/vendor_ruby/phusion_passenger/locations.ini
PassengerInstanceRegistryDir "${folder}"
PassengerStatThrottleRate 0
`,
    vhost(place) {
      const { httpPort, httpsPort, serverName, certificate, key } = place
      const prefix = dirname(certificate)
      writeFileSync(
        settings,
        `origin = "https://${serverName}:${httpsPort}"
data = "data"
[authorizer]
listen = "127.0.0.1:${authorizer}"
[login]
return_origins = ["https://wiki.example.net:${httpsPort}"]
`,
      )
      run(['apache', 'install', '--prefix', prefix])
      mkdirSync(join(prefix, 'htdocs', 'secret'))
      writeFileSync(join(prefix, 'htdocs', 'secret', 'page'), 'the page of the wiki\n')
      const site = ['--server-name', serverName, '--certificate', certificate, '--key', key]
      const ports = ['--http-port', String(httpPort), '--https-port', String(httpsPort)]
      return [
        run(['apache', 'passenger', ...site, ...ports, '--user', user, '--group', group]),
        'Include conf-available/watchword-authorizer.conf',
        protectedHost(place, prefix),
      ].join('\n')
    },
  })
  const processes = () => processesBelow(folder)
  return {
    apache,
    origin: `https://${apache.serverName}:${apache.httpsPort}`,
    wiki: `https://wiki.example.net:${apache.httpsPort}`,
    data,
    processes,
    command: (args, input = '') => run(args, process.getuid?.() === 0 ? { input, uid, gid } : { input }),
    async close() {
      await apache.stop()
      await until(() => processes().length === 0, 'Watchword outlives Apache')
      // The last process of Passenger removes this.
      await until(
        () => !readdirSync(folder).some((name) => name.startsWith('passenger.')),
        'Passenger outlives Apache',
      )
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const protectedHost = ({ httpsPort, certificate, key }: ApachePlace, prefix: string): string => `
<VirtualHost *:${httpsPort}>
  ServerName wiki.example.net
  SSLEngine on
  SSLCertificateFile "${certificate}"
  SSLCertificateKeyFile "${key}"
  <Directory "${prefix}/htdocs">
    Require all granted
  </Directory>
  <Location "/secret">
    Include watchword/protect-two-factor.conf
  </Location>
</VirtualHost>
`

/** The program at a place that its user can read: the folder of the tests, or a copy of it. */
function reachable(folder: string): string {
  const main = join('bin', 'passenger.js')
  const asUser = process.getuid?.() === 0 ? ['--reuid', user, '--clear-groups'] : []
  const { status } = spawnSync('setpriv', [...asUser, 'test', '-r', join(repository, main)])
  if (status === 0) return repository
  const copy = join(folder, 'program')
  mkdirSync(copy)
  for (const part of [
    'bin',
    'scripts',
    'src',
    'public',
    'package.json',
    'package-lock.json',
    'node_modules',
  ]) {
    cpSync(join(repository, part), join(copy, part), { recursive: true, verbatimSymlinks: true })
  }
  return copy
}

/** The processes of the program whose settings are in this folder. */
function processesBelow(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const ofProcess = (name: string) => {
        try {
          return readFileSync(`/proc/${pid}/${name}`, 'utf8')
        } catch {
          return '' // Ended meanwhile.
        }
      }
      return (
        ofProcess('cmdline').startsWith('Passenger NodeApp') &&
        ofProcess('environ').includes(`WATCHWORD_CONFIG=${folder}/`)
      )
    })
    .map(Number)
}
