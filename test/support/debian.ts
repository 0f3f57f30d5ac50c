import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryFolder, untilListening } from './apache.ts'
import { freePort } from './free-port.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

/** A machine as Debian leaves it with Apache installed: its folders, under a folder of the test. */
export interface Debian {
  readonly folder: string
  readonly httpPort: number
  readonly httpsPort: number
  /** What a guide says, with the paths and ports of this machine. */
  here(text: string): string
  /** The file of this machine behind a path of a guide. */
  path(path: string): string
  /** Runs lines of a shell, as root of this machine; rejects with all that was said when one fails. */
  shell(lines: string, input?: string): Promise<string>
  /** `systemctl restart apache2` */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** What Debian enables as it installs Apache. */
const enabled =
  'access_compat alias auth_basic authn_core authn_file authz_core authz_host authz_user autoindex deflate dir env filter mime mpm_event negotiation reqtimeout setenvif status'

/**
 * Programs that change the machine itself stay away from it; the others find this machine's folders and ports.
 *
 * A password is typed where one is asked for.
 */
const programs = (ports: readonly [number, number]): Readonly<Record<string, string>> => ({
  sudo: 'while [ "$1" = -u ]; do shift 2; done; exec "$@"',
  npx: `shift
case "$*" in *"apache install"*) set -- "$@" --prefix "$APACHE_CONFDIR" ;; *"apache doctor"*) set -- "$@" --server-root "$APACHE_CONFDIR" ;; esac
case "$*" in *createsuperuser*) exec "${process.execPath}" "${repository}/bin/watchword.js" "$@" --password-stdin ;; esac
exec "${process.execPath}" "${repository}/bin/watchword.js" "$@" < /dev/null`,
  curl: `exec /usr/bin/curl -sk --connect-to :80:127.0.0.1:${ports[0]} --connect-to :443:127.0.0.1:${ports[1]} "$@"`,
  ...Object.fromEntries(
    ['adduser', 'apt-get', 'chown', 'install', 'systemctl'].map((name) => [name, 'exit 0']),
  ),
})

/** Starts Debian's Apache on a copy of Debian's own configuration, on free ports. */
export async function startDebian(env: Readonly<Record<string, string>>): Promise<Debian> {
  const folder = temporaryFolder('ww-debian-')
  const path = (name: string) => join(folder, name)
  const [httpPort, httpsPort] = [await freePort(), await freePort()]
  for (const name of ['bin', 'run/apache2', 'run/lock', 'var/log', 'etc/watchword', 'etc/systemd/system']) {
    mkdirSync(path(name), { recursive: true })
  }
  for (const name of ['etc/ssl/certs', 'etc/ssl/private', 'run/watchword', 'var/lib/watchword']) {
    mkdirSync(path(name), { recursive: true })
  }
  cpSync('/etc/apache2', path('etc/apache2'), { recursive: true, verbatimSymlinks: true })
  for (const kind of ['mods', 'sites', 'conf']) {
    rmSync(path(`etc/apache2/${kind}-enabled`), { recursive: true })
    mkdirSync(path(`etc/apache2/${kind}-enabled`))
  }
  for (const [name, text] of Object.entries(programs([httpPort, httpsPort]))) {
    writeFileSync(path(`bin/${name}`), `#!/bin/sh\n${text}\n`)
    chmodSync(path(`bin/${name}`), 0o755)
  }
  writeFileSync(path('etc/apache2/envvars'), variables(folder))
  writeFileSync(
    path('etc/apache2/ports.conf'),
    `ServerName localhost\nListen 127.0.0.1:${httpPort}\nListen 127.0.0.1:${httpsPort}\n`,
  )

  const everywhere = {
    ...env,
    HOME: folder,
    PATH: `${path('bin')}:${process.env.PATH}:/usr/sbin`,
    APACHE_CONFDIR: path('etc/apache2'),
    APACHE_STATE_DIRECTORY: path('var/lib/apache2'),
    APACHE_ARGUMENTS: `-d ${path('etc/apache2')}`,
  }
  const shell: Debian['shell'] = (lines, input = '') =>
    new Promise((resolve, reject) => {
      const child = execFile(
        '/bin/sh',
        ['-e', '-c', lines],
        { cwd: folder, env: everywhere },
        (error, stdout, stderr) =>
          error ? reject(new Error(`${lines}\n${stdout}${stderr}`)) : resolve(stdout + stderr),
      )
      child.stdin?.on('error', () => {}) // It may end before it has read all.
      child.stdin?.end(input)
    })
  await shell(`a2enmod -q ${enabled}`)
  const start = () =>
    spawn(
      'setpriv',
      [
        '--pdeathsig',
        'TERM',
        '/bin/sh',
        '-c',
        `. ${path('etc/apache2/envvars')}; exec /usr/sbin/apache2 $APACHE_ARGUMENTS -DFOREGROUND`,
      ],
      { env: everywhere, stdio: 'ignore' },
    )
  const log = () => {
    const file = path('var/log/error.log')
    return existsSync(file) ? readFileSync(file, 'utf8') : ''
  }
  let server = start()
  await untilListening(httpPort, server, log)
  return {
    folder,
    httpPort,
    httpsPort,
    path,
    shell,
    here: (text) =>
      text
        .replaceAll('/opt/watchword', repository)
        .replace(/(?<![\w/.])\/(?=(?:etc|run|srv|var\/lib)\/)/g, `${folder}/`)
        .replaceAll('*:443>', `*:${httpsPort}>`)
        .replace(
          /apache (vhost|passenger) /g,
          `apache $1 --http-port ${httpPort} --https-port ${httpsPort} `,
        ),
    async restart() {
      await ended(server)
      server = start()
      await untilListening(httpPort, server, log)
    },
    async stop() {
      await ended(server)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const variables = (folder: string): string => `
export APACHE_RUN_USER=www-data
export APACHE_RUN_GROUP=www-data
export APACHE_PID_FILE=${folder}/run/apache2/apache2.pid
export APACHE_RUN_DIR=${folder}/run/apache2
export APACHE_LOCK_DIR=${folder}/run/lock
export APACHE_LOG_DIR=${folder}/var/log
export LANG=C
`

async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const exit = once(server, 'exit')
  server.kill('SIGTERM')
  await exit
}
