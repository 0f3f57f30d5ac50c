import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ProtectionSettings, protectionFiles } from '../../src/apache/protect.ts'
import { VhostError } from '../../src/apache/vhost-values.ts'
import { builtInPolicies } from '../../src/domain/access.ts'

const SECRET = 'abcdefghijklmnopqrstuvwxyz'
const settings: ProtectionSettings = {
  prefix: '/etc/apache2',
  authorizer: { host: '127.0.0.1', port: 9010 },
  secret: SECRET,
  policies: builtInPolicies,
}
const textOf = (name: string) =>
  protectionFiles(settings).find(({ path }) => path.endsWith(`/${name}`))?.text ?? ''

describe('the files by which Apache protects places', () => {
  it('are one for the server, one with the secret, and one a policy', () => {
    const files = protectionFiles(settings)
    assert.deepEqual(
      files.map(({ path, mode }) => [path, mode.toString(8)]),
      [
        ['/etc/apache2/watchword/secret.conf', '600'],
        ['/etc/apache2/conf-available/watchword-authorizer.conf', '644'],
        ['/etc/apache2/watchword/protect-password.conf', '644'],
        ['/etc/apache2/watchword/protect-two-factor.conf', '644'],
        ['/etc/apache2/watchword/protect-two-factor-recent.conf', '644'],
      ],
    )
    assert.deepEqual(
      files.filter(({ text }) => text.includes(SECRET)).map(({ mode }) => mode),
      [0o600],
    )
  })

  it('ask for a user, whom only the authorizer can name, and close TRACE', () => {
    const text = textOf('protect-two-factor.conf')
    assert.match(
      text,
      /^AuthnzFcgiCheckAuthnProvider watchword Authoritative On RequireBasicAuth Off UserExpr "%\{reqenv:REMOTE_USER\}"$/m,
    )
    assert.match(text, /^ {2}Require valid-user$/m)
    assert.match(text, /^SetEnvIf Request_Method "\^" WW_POLICY=two-factor !WW_LEASE /m)
    assert.doesNotMatch(text, /granted|DefaultUser|AuthType Basic|Satisfy Any|<Limit/)
    assert.match(textOf('watchword-authorizer.conf'), /^TraceEnable off$/m)
  })

  it('let credentials through to Watchword only where programs come in', () => {
    assert.match(
      textOf('protect-two-factor.conf'),
      /^CGIPassAuth On\nRequestHeader unset Authorization "expr=.*basic#i"$/m,
    )
    assert.doesNotMatch(textOf('protect-two-factor-recent.conf'), /CGIPassAuth|Authorization/)
  })

  it('tell the application by an assertion only where the policy asks for it, and let no client do so anywhere', () => {
    const policies = [
      { name: 'told', access: ['session'], assertion: true, lease: 30, networks: [] },
    ] as const
    const told = protectionFiles({ ...settings, policies }).at(-1)?.text ?? ''
    const line = /^RequestHeader set X-Watchword-Assertion /m
    assert.match(told, line)
    assert.doesNotMatch(textOf('protect-two-factor.conf'), line)
    for (const text of [told, textOf('protect-two-factor.conf')]) {
      assert.match(text, /^RequestHeader unset X-Watchword-Assertion$/m)
      assert.match(text, /^RequestHeader unset X_Watchword_Assertion$/m)
    }
    assert.ok(told.search(line) > told.lastIndexOf('RequestHeader unset X_Watchword_Assertion'))
  })

  it('are not written with values that Apache could read otherwise', () => {
    for (const change of [
      { prefix: 'etc' },
      { prefix: '/etc/"x' },
      { prefix: `/etc/\${x}` },
      { prefix: '/etc/../x' },
      { prefix: '/a\nRequire all granted' },
      { secret: 'short' },
      { secret: `${SECRET} Require` },
      { secret: `${SECRET}\nRequire` },
      { secret: `${SECRET}\${x}` },
      { authorizer: { host: '192.0.2.7', port: 9010 } },
      { authorizer: { host: '127.0.0.1/x', port: 9010 } },
      { authorizer: { host: '127.0.0.1', port: 0 } },
      { policies: [{ name: 'a b', access: ['session'], assertion: false, lease: 0, networks: [] }] },
      { policies: [{ name: '../x', access: ['session'], assertion: false, lease: 0, networks: [] }] },
      { policies: [{ name: "a'", access: ['session'], assertion: false, lease: 0, networks: [] }] },
      { policies: [{ name: 'a\nRequire', access: ['session'], assertion: true, lease: 0, networks: [] }] },
    ] as const) {
      assert.throws(() => protectionFiles({ ...settings, ...change }), VhostError, JSON.stringify(change))
    }
  })
})
