import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type PassengerSite, passengerConfiguration } from '../../src/apache/passenger.ts'
import { vhostConfiguration } from '../../src/apache/vhost.ts'
import { VhostError } from '../../src/apache/vhost-values.ts'

const site: PassengerSite = {
  serverName: 'auth.example.com',
  certificate: '/etc/ssl/certs/auth.pem',
  key: '/etc/ssl/private/auth.key',
  root: '/opt/watchword',
  node: '/opt/watchword/node_modules/.bin/node',
  settings: '/etc/watchword/watchword.toml',
  data: '/var/lib/watchword',
  user: 'watchword',
  group: 'watchword',
  environment: { MALLOC_ARENA_MAX: '1' },
}

const refuses = (change: Partial<PassengerSite>, message: RegExp): void =>
  assert.throws(
    () => passengerConfiguration({ ...site, ...change }),
    (fault: unknown) => fault instanceof VhostError && message.test(fault.message),
    `accepted ${JSON.stringify(change)}`,
  )

describe('the virtual host by which Apache runs Watchword itself', () => {
  it('refuses paths that could end the quotes or be expanded', () => {
    for (const path of ['/a"b', '/a\nb', '/a\x24{HOME}', '/a%{ENV:B}', '/a\\']) {
      for (const name of ['root', 'node', 'settings', 'data'] as const)
        refuses({ [name]: path }, /write a path without/)
    }
    for (const name of ['root', 'node', 'settings', 'data'] as const)
      refuses({ [name]: 'relative' }, /begins with \//)
  })

  it('refuses what is no name of a user or a group', () => {
    for (const name of ['', 'a b', 'a\nUser root', '"', '-x', '#0', 'x'.repeat(33)]) {
      refuses({ user: name }, /^user .*write the name of a user/)
      refuses({ group: name }, /^group .*write the name of a group/)
    }
  })

  it('refuses variables that cannot stand between quotes', () => {
    refuses({ environment: { A: 'b"' } }, /^environment "A"/)
    refuses({ environment: { 'A B': 'c' } }, /^environment "A B"/)
  })

  it('is as hard as the one in front of a Watchword that runs by itself (SEC-PXY-3)', () => {
    const proxied = vhostConfiguration({ ...site, backend: { kind: 'tcp', host: '127.0.0.1', port: 8000 } })
    const printed = new Set(passengerConfiguration(site).split('\n'))
    const left = proxied
      .split('\n')
      .filter((line) => !/^\s*#/.test(line) && !printed.has(line))
      .map((line) => line.trim().split(' ')[0])
    assert.deepEqual(left, [
      ...['ProxyRequests', 'ProxyPass', 'ProxyErrorOverride', 'ProxyPreserveHost', 'ProxyAddHeaders'],
    ])
  })
})
