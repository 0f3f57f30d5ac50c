import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type BalancedSite, balancedConfiguration } from '../../src/apache/balancer.ts'
import { type VhostBackend, vhostConfiguration } from '../../src/apache/vhost.ts'
import { VhostError } from '../../src/apache/vhost-values.ts'

const site: Omit<BalancedSite, 'nodes'> = {
  serverName: 'auth.example.com',
  certificate: '/etc/ssl/certs/auth.pem',
  key: '/etc/ssl/private/auth.key',
}
const tcp = (host: string, port = 8000): VhostBackend => ({ kind: 'tcp', host, port })
const unix = (path: string): VhostBackend => ({ kind: 'unix', path })
const text = (...nodes: readonly VhostBackend[]) => balancedConfiguration({ ...site, nodes })
const refuses = (nodes: readonly VhostBackend[], message: RegExp) =>
  assert.throws(
    () => text(...nodes),
    (fault: unknown) => fault instanceof VhostError && message.test(fault.message),
    JSON.stringify(nodes),
  )

describe('several nodes behind a virtual host', () => {
  it('are members of one balancer, which takes every address, and nobody is kept to one of them', () => {
    const printed = text(tcp('127.0.0.1'), tcp('10.0.0.12'), tcp('fd00::12'), unix('/run/watchword/b.sock'))
    assert.deepEqual(
      [...printed.matchAll(/^ {4}BalancerMember "([^"]+)"/gm)].map(([, address]) => address),
      [
        'http://127.0.0.1:8000',
        'http://10.0.0.12:8000',
        'http://[fd00::12]:8000',
        'unix:/run/watchword/b.sock|http://node-4',
      ],
    )
    assert.deepEqual(printed.match(/^ {2}ProxyPass .*$/gm), ['  ProxyPass "/" "balancer://watchword/"'])
    assert.doesNotMatch(printed, /stickysession|route=|failonstatus|balancer-manager/)
  })

  it('get the same headers, limits and refusals as one node alone', () => {
    const rest = (whole: string) =>
      whole.replace(/^#.*\n/gm, '').replace(/^ {2}# (?:Nodes|retry=0)[\s\S]*? {2}ProxyPass "\/" .*\n/m, '')
    const alone = rest(vhostConfiguration({ ...site, backend: tcp('127.0.0.1') }))
    assert.equal(rest(text(tcp('127.0.0.1'), tcp('127.0.0.1', 8001))), alone)
    assert.match(alone, /RequestHeader set X-Forwarded-For "expr=%\{REMOTE_ADDR\}"/)
  })

  it('are asked over the network only where no stranger listens (SEC-PXY-1)', () => {
    for (const host of [
      '192.0.2.7',
      '8.8.8.8',
      '172.32.0.1',
      '100.128.0.1',
      '::',
      '2001:db8::1',
      '0.0.0.0',
    ]) {
      refuses([tcp(host)], /private network/)
    }
    for (const host of ['localhost', 'node-2.example.com', '10.0.0.1/x', '10.1', '', '10.0.0.1"']) {
      refuses([tcp(host)], /private network/)
    }
  })

  it('are refused where one is missing, there twice or no address', () => {
    refuses([], /at least one/)
    refuses([tcp('10.0.0.1'), tcp('10.0.0.1')], /twice/)
    refuses([unix('/run/a.sock'), unix('/run/a.sock')], /twice/)
    refuses([tcp('10.0.0.1', 0)], /whole number/)
    for (const path of ['/run/a b', '/run/"a', '/run/../a', 'a.sock', `/\${a}`, '/a|b', '/a\nb']) {
      refuses([unix(path)], /^nodes/)
    }
  })

  it('name the modules that they need', () => {
    assert.match(
      text(tcp('127.0.0.1')),
      /a2enmod ssl proxy proxy_http proxy_balancer lbmethod_bybusyness proxy_hcheck headers\n/,
    )
  })
})
