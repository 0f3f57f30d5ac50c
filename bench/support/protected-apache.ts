import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { protectionFiles } from '../../src/apache/protect.ts'
import { builtInPolicies } from '../../src/domain/access.ts'
import { type Apache, startApache } from '../../test/support/apache.ts'
import { openidConfiguration } from './openid.ts'

/** The ways to one small file, each a path of its own. */
export const ways = ['open', 'leased', 'asked', 'trivial', 'few', 'openid'] as const
export type Way = (typeof ways)[number]

/** By which Apache shows that it is the one who asks. */
export const SECRET = 'a-secret-of-the-benchmark'

/** Apache as Debian starts it, without TLS, with the files that `watchword apache install` writes. */
export function startProtected({
  port,
  trivialPort,
  leaseDirectory,
  providerPort,
}: {
  readonly port: number
  readonly trivialPort: number
  readonly leaseDirectory: string
  /** Without one there is no mod_auth_openidc. */
  readonly providerPort: number | undefined
}): Promise<Apache> {
  const asking = { name: 'asking', access: ['session'], assertion: false, lease: 0, networks: [] } as const
  return startApache({
    extraModules: [
      ...['authn_core', 'authz_user', 'authnz_fcgi', 'setenvif', 'dir'],
      ...(providerPort === undefined ? [] : ['auth_openidc']),
    ],
    vhost: ({ httpPort, certificate }) => {
      const prefix = dirname(certificate)
      const authorizer = { host: '127.0.0.1', port }
      const policies = [...builtInPolicies, asking]
      for (const { path, text, mode } of protectionFiles({
        ...{ prefix, authorizer, secret: SECRET, policies, leaseDirectory },
      })) {
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, text, { mode })
      }
      const asked = readFileSync(join(prefix, 'watchword', 'protect-asking.conf'), 'utf8')
      const toTrivial = asked.replace('CheckAuthnProvider watchword', 'CheckAuthnProvider trivial')
      writeFileSync(join(prefix, 'watchword', 'protect-trivial.conf'), toTrivial)
      for (const way of ways) {
        mkdirSync(join(prefix, 'htdocs', way))
        writeFileSync(join(prefix, 'htdocs', way, 'index.html'), `${'x'.repeat(1023)}\n`)
      }
      const place = (way: Way, policy: string) =>
        `<Location "/${way}">\n  Include watchword/protect-${policy}.conf\n</Location>`
      return `
Include conf-available/watchword-authorizer.conf
AuthnzFcgiDefineProvider authn trivial fcgi://127.0.0.1:${trivialPort}/
KeepAlive On
MaxKeepAliveRequests 0
<VirtualHost *:${httpPort}>
  ServerName 127.0.0.1
  DocumentRoot "${prefix}/htdocs"
  DirectoryIndex index.html
  <Directory "${prefix}/htdocs">
    Require all granted
  </Directory>
  ${place('leased', 'two-factor')}
  ${place('asked', 'asking')}
  ${place('trivial', 'trivial')}
  ${place('few', 'two-factor')}
  ${providerPort === undefined ? '' : openidConfiguration('/openid', { port: httpPort, providerPort })}
</VirtualHost>`
    },
  })
}
