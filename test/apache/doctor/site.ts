import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Finding } from '../../../src/apache/doctor/finding.ts'
import { judge, viewOf } from '../../../src/apache/doctor/judge.ts'
import { type Configuration, readConfiguration } from '../../../src/apache/doctor/read.ts'
import type { DoctorSettings, Machine } from '../../../src/apache/doctor/view.ts'
import { protectionFiles } from '../../../src/apache/protect.ts'
import { readApache } from '../../../src/cli/apache-host.ts'
import { builtInPolicies, findPolicy } from '../../../src/domain/access.ts'
import { temporaryFolder } from '../../support/apache.ts'

/** A configuration of an operator, in the places of a site that is right otherwise. `F` stands for the folder. */
export interface Written {
  /** In the virtual host with TLS, whose name is wiki.example.net. */
  readonly wiki?: string
  /** For the whole server, before the virtual hosts. */
  readonly server?: string
  /** After the virtual hosts. */
  readonly more?: string
  /** In place of the virtual host without TLS, which redirects. */
  readonly plain?: string
  readonly modules?: readonly string[]
  /** Files below the folder: what is made of the text that they have, or of none. */
  readonly files?: Readonly<Record<string, (text: string) => string>>
  /** Files below the folder that are not there, and modules that are not loaded. */
  readonly without?: readonly string[]
  readonly modes?: Readonly<Record<string, number>>
  readonly machine?: Partial<Machine>
  readonly settings?: Partial<DoctorSettings>
  /** Leaves the file for the whole server out. */
  readonly isNotEnabled?: true
}

const SECRET = 'abcdefghijklmnopqrstuvwxyz'

/** The lines that protect a path, as the guide says, with more beside them. */
export const place = (path: string, more = '', policy = 'two-factor'): string =>
  `<Location "${path}">\n  Include watchword/protect-${policy}.conf\n${more}\n</Location>`

/** A repository with rules of paths, protected under a policy without leases. */
export const repository = (lines: string, policy = 'repositories'): Written => ({
  modules: ['dav', 'dav_svn', 'authz_svn'],
  wiki: place('/svn', `  DAV svn\n  SVNPath F/svn\n  AuthzSVNAccessFile F/authz\n${lines}`, policy),
})

/** What the doctor finds, in files that are in memory only. */
export function diagnose(written: Written): readonly Finding[] {
  const folder = '/srv/site'
  const files = filesOf(folder, written)
  const read = readConfiguration({
    file: join(folder, 'apache2.conf'),
    serverRoot: folder,
    read: (path) => files.get(path)?.text,
    list: (path) => (files.has(path) ? [path] : []),
    modules: ['core_module', 'so_module', 'http_module', 'log_config_module', 'version_module'],
    defines: [],
    environment: new Map(),
    version: '2.4.62',
  })
  return judged(read, written, (path) => files.get(path)?.mode)
}

/** A folder in which real Apache reads configurations. */
export interface Site {
  /** What Apache says against a configuration, and what the doctor finds in what Apache reads. */
  examine(
    written: Written,
  ): Promise<{ readonly refused: string | undefined; readonly findings: readonly Finding[] }>
  remove(): void
}

export function makeSite(): Site {
  const folder = temporaryFolder('ww-doctor-')
  const pair = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'certificate.pem')]
  const usual = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  execFileSync('openssl', ['req', '-x509', ...usual, '-subj', '/CN=wiki.example.net', ...pair], {
    stdio: 'ignore',
  })
  for (const name of ['wiki/pages', 'cgi', 'other']) mkdirSync(join(folder, name), { recursive: true })
  return { examine, remove: () => rmSync(folder, { recursive: true }) }

  async function examine(written: Written) {
    for (const [path, { text, mode }] of filesOf(folder, written)) {
      mkdirSync(dirname(path), { recursive: true })
      rmSync(path, { force: true })
      writeFileSync(path, text, { mode })
    }
    const file = join(folder, 'apache2.conf')
    const asked = { apachectl: '/usr/sbin/apache2', serverRoot: folder, file, defines: [] }
    const { configuration: read, machine, refused } = await readApache(asked)
    return { refused, findings: judged(read, written, machine.modeOf, machine.files) }
  }
}

function judged(read: Configuration, written: Written, modeOf: Machine['modeOf'], files?: Machine['files']) {
  const settings: DoctorSettings = {
    authorizer,
    origin: 'https://auth.example.com',
    returnOrigins: ['https://wiki.example.net'],
    own: 'localhost:8000',
    generate: generated,
    ...written.settings,
  }
  const here: Machine = { listeners: [], addresses: ['192.0.2.10'], modeOf, files, ...written.machine }
  return judge(viewOf(read, settings, here))
}

const authorizer = { host: '127.0.0.1', port: 9010 }

/** A policy of the operator's own, under which nothing is leased. */
const repositories = builtInPolicies
  .filter(({ name }) => name === 'two-factor')
  .map((policy) => ({ ...policy, name: 'repositories', lease: 0 }))

function generated(prefix: string, name?: string) {
  const own = new Map(repositories.map((policy) => [policy.name, policy]))
  const policy = name === undefined ? undefined : findPolicy(name, own)
  return protectionFiles({
    prefix,
    authorizer,
    secret: SECRET,
    leaseDirectory: '/run/watchword/leases',
    policies: policy === undefined ? [] : [policy],
  })
}

/** Every file of a configuration, by its path. */
function filesOf(
  folder: string,
  written: Written,
): ReadonlyMap<string, { readonly text: string; readonly mode: number }> {
  const policies = ['password', 'two-factor', 'two-factor-recent', 'group-staff', 'repositories']
  const files = new Map(
    policies
      .flatMap((policy) => generated(folder, policy))
      .map(({ path, text, mode }) => [path, { text, mode }]),
  )
  files.set(join(folder, 'apache2.conf'), { text: configuration(written), mode: 0o644 })
  for (const [name, edit] of Object.entries(written.files ?? {})) {
    const path = join(folder, name)
    files.set(path, { text: edit(files.get(path)?.text ?? ''), mode: files.get(path)?.mode ?? 0o644 })
  }
  for (const [name, mode] of Object.entries(written.modes ?? {})) {
    files.set(join(folder, name), { text: files.get(join(folder, name))?.text ?? '', mode })
  }
  for (const name of written.without ?? []) files.delete(join(folder, name))
  return new Map(
    [...files].map(([path, { text, mode }]) => [
      path,
      { text: text.replaceAll(/\bF\//g, `${folder}/`), mode },
    ]),
  )
}

const usualModules = [
  ...[
    'mpm_event',
    'authn_core',
    'authz_core',
    'authz_user',
    'authz_host',
    'access_compat',
    'auth_basic',
    'authn_file',
  ],
  ...[
    'authnz_fcgi',
    'headers',
    'setenvif',
    'alias',
    'env',
    'dir',
    'cgid',
    'mime',
    'rewrite',
    'socache_shmcb',
    'ssl',
  ],
  ...['proxy', 'proxy_http', 'proxy_fcgi'],
]

const configuration = ({
  wiki = '',
  server = '',
  more = '',
  plain,
  modules = [],
  without = [],
  isNotEnabled,
}: Written): string => `
ServerName localhost
PidFile F/apache2.pid
ErrorLog F/error.log
${[...usualModules, ...modules]
  .filter((name) => !without.includes(name))
  .map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`)
  .join('\n')}
Listen 127.0.0.1:8080
Listen 127.0.0.1:8443
<Directory "/">
  AllowOverride None
  Require all denied
</Directory>
${isNotEnabled ? '' : 'Include conf-available/watchword-authorizer.conf'}
${server}
${
  plain ??
  `<VirtualHost *:8080>
  ServerName wiki.example.net
  Redirect permanent "/" "https://wiki.example.net/"
</VirtualHost>`
}
<VirtualHost *:8443>
  ServerName wiki.example.net
  SSLEngine on
  SSLCertificateFile F/certificate.pem
  SSLCertificateKeyFile F/key.pem
  DocumentRoot F/wiki
  <Directory "F/wiki">
    Require all granted
  </Directory>
${wiki}
</VirtualHost>
${more}
`
