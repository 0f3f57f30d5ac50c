import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { protectionFiles } from '../../src/apache/protect.ts'
import { builtInPolicies } from '../../src/domain/access.ts'
import { type Apache, request, startApache } from '../support/apache.ts'

const SECRET = 'abcdefghijklmnopqrstuvwxyz'

// Real Apache; nobody answers at the port of the authorizer, so that every request of the place fails.
describe('a program that shows the errors of a protected place (SEC-FCGI-5)', () => {
  it('gets what the refused request had in its environment, and not the secret', async () => {
    const environment = await shownBy((text) => text)
    assert.match(environment, /^REDIRECT_WW_POLICY=two-factor$/m)
    assert.doesNotMatch(environment, new RegExp(SECRET))
  })

  it('would get the secret but for one line of the generated configuration', async () => {
    const environment = await shownBy((text) => text.replace(/^.*REDIRECT_WW_SECRET$/m, ''))
    assert.match(environment, new RegExp(`^REDIRECT_WW_SECRET=${SECRET}$`, 'm'))
  })
})

/** The environment of the program, under the generated configuration as `change` leaves it. */
async function shownBy(change: (text: string) => string): Promise<string> {
  const apache = await startApache({
    extraModules: ['authn_core', 'authz_user', 'authnz_fcgi', 'setenvif', 'cgi'],
    vhost: ({ certificate, key, httpPort, httpsPort }) => {
      const folder = dirname(certificate)
      install(folder, change)
      return `
Include conf-available/watchword-authorizer.conf
<VirtualHost *:${httpsPort}>
  ServerName wiki.example.net
  SSLEngine on
  SSLCertificateFile "${certificate}"
  SSLCertificateKeyFile "${key}"
  ScriptAlias "/cgi/" "${folder}/cgi/"
  ErrorDocument 500 /cgi/env
  <Directory "${folder}/cgi">
    Require all granted
  </Directory>
  <Location "/wiki">
    Include watchword/protect-two-factor.conf
  </Location>
</VirtualHost>
# Port ${httpPort} is of no use here.`
    },
  })
  try {
    return await errorPage(apache)
  } finally {
    await apache.stop()
  }
}

async function errorPage({ httpsPort, certificate }: Apache): Promise<string> {
  const answer = await request({
    port: httpsPort,
    path: '/wiki',
    serverName: 'auth.example.com',
    ca: certificate,
    headers: { Host: 'wiki.example.net' },
  })
  assert.equal(answer.status, 500)
  return answer.body
}

function install(folder: string, change: (text: string) => string): void {
  const files = protectionFiles({
    prefix: folder,
    authorizer: { host: '127.0.0.1', port: 1 },
    secret: SECRET,
    policies: builtInPolicies,
  })
  for (const { path, text } of files) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, change(text))
  }
  mkdirSync(join(folder, 'cgi'))
  writeFileSync(join(folder, 'cgi', 'env'), '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n"\nenv\n')
  chmodSync(join(folder, 'cgi', 'env'), 0o755)
}
