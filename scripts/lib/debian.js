import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { runQuietly } from './run.js'

/** Debian's name of this kind of machine, in paths of libraries. */
const multiarch = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu'

/**
 * The Debian packages that tests need, each with a program it brings, in PATH or under `/usr/lib/postgresql/<n>`, or with
 * the whole path of a file.
 *
 * @type {Readonly<Record<string, string>>}
 */
export const debianPackages = {
  apache2: 'apache2',
  cadaver: 'cadaver',
  caddy: 'caddy',
  chromium: 'chromium',
  curl: 'curl',
  git: 'git',
  haproxy: 'haproxy',
  'libapache2-mod-passenger': '/usr/lib/apache2/modules/mod_passenger.so',
  'libapache2-mod-svn': '/usr/lib/apache2/modules/mod_dav_svn.so',
  libfaketime: `/usr/lib/${multiarch}/faketime/libfaketime.so.1`,
  nginx: 'nginx',
  'libpam-google-authenticator': 'google-authenticator',
  oathtool: 'oathtool',
  openssl: 'openssl',
  postgresql: 'initdb',
  'pskc-utils': 'csv2pskc',
  pskctool: 'pskctool',
  'python3-argon2': '/usr/lib/python3/dist-packages/argon2/__init__.py',
  'python3-bcrypt': '/usr/lib/python3/dist-packages/bcrypt/__init__.py',
  'python3-django': '/usr/lib/python3/dist-packages/django/__init__.py',
  'python3-django-otp': '/usr/lib/python3/dist-packages/django_otp/__init__.py',
  'python3-djangorestframework': '/usr/lib/python3/dist-packages/rest_framework/__init__.py',
  'python3-psycopg2': '/usr/lib/python3/dist-packages/psycopg2/__init__.py',
  slowhttptest: 'slowhttptest',
  strace: 'strace',
  subversion: 'svn',
  systemd: 'systemd-analyze',
  'zbar-tools': 'zbarimg',
}

/**
 * Installs what is missing of these packages, as root on Debian and its kin.
 *
 * Elsewhere it says the line to run, and exits 1.
 *
 * @param {Readonly<Record<string, string>>} [packages]
 */
export async function ensureDebianPackages(packages = debianPackages) {
  const missing = Object.keys(packages).filter((name) => !isInstalled(packages[name] ?? name))
  if (missing.length === 0) return

  const install = ['install', '-y', '--no-install-recommends', ...missing]
  if (process.getuid?.() !== 0 || !isDebian()) {
    process.stderr.write(`The tests need ${missing.join(', ')}. Run:\n`)
    process.stderr.write(`sudo sh -c 'apt-get update && apt-get ${install.join(' ')}'\n`)
    process.exit(1)
  }
  process.stderr.write(`Installing Debian packages for the tests: ${missing.join(', ')} …\n`)
  await withoutStartingServices(async () => {
    await apt('update')
    await apt(...install)
  })
}

/** @param {string} program */
function isInstalled(program) {
  if (isAbsolute(program)) return existsSync(program)
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/bin']
  return [...folders, ...postgresqlFolders()].some((folder) => existsSync(join(folder, program)))
}

/** Debian keeps the programs of each PostgreSQL apart, out of PATH. */
function postgresqlFolders() {
  const versions = '/usr/lib/postgresql'
  return existsSync(versions) ? readdirSync(versions).map((version) => join(versions, version, 'bin')) : []
}

function isDebian() {
  const release = '/etc/os-release'
  return existsSync(release) && /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync(release, 'utf8'))
}

/**
 * Debian starts services as it installs them, unless this file forbids it: tests start their own, elsewhere.
 *
 * A policy that the machine has already is left as it is.
 *
 * @param {() => Promise<void>} body
 */
async function withoutStartingServices(body) {
  const policy = '/usr/sbin/policy-rc.d'
  if (existsSync(policy)) return body()
  const remove = () => rmSync(policy, { force: true })
  const stop = () => {
    remove()
    process.exit(1)
  }
  const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755, flag: 'wx' })
  for (const signal of signals) process.on(signal, stop)
  process.on('exit', remove)
  try {
    await body()
  } finally {
    remove()
    process.off('exit', remove)
    for (const signal of signals) process.off(signal, stop)
  }
}

/** @param {...string} args */
async function apt(...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { code, output } = await runQuietly('apt-get', ['-q', ...args], { env })
  if (code === 0) return
  process.stderr.write(`${output}apt-get ${args.join(' ')} failed\n`)
  process.exit(1)
}
