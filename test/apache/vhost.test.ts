import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { guardedHeaders } from '../../src/apache/guarded-headers.ts'
import { type VhostSite, vhostConfiguration } from '../../src/apache/vhost.ts'
import { VhostError } from '../../src/apache/vhost-values.ts'

const site: VhostSite = {
  serverName: 'auth.example.com',
  certificate: '/etc/ssl/certs/auth.pem',
  key: '/etc/ssl/private/auth.key',
  backend: { kind: 'unix', path: '/run/watchword/watchword.sock' },
}

const refuses = (change: Partial<VhostSite>, message: RegExp): void =>
  assert.throws(
    () => vhostConfiguration({ ...site, ...change }),
    (fault: unknown) => fault instanceof VhostError && message.test(fault.message),
    `accepted ${JSON.stringify(change)}`,
  )

/** The text with the given value taken out: equal for two values if neither reached outside of its place. */
const skeleton = (text: string, value: string): string => text.replaceAll(value, '?')

describe('the names that a virtual host is written for', () => {
  it('refuses what is not a host name', () => {
    const hostile = [
      ...['', '.', 'a..b', '-a.example', 'a-.example', 'a b', 'a\nb', 'a\r', 'a\0b', 'a"b', "a'b", 'a\\b'],
      ...[
        'a/b',
        'https://a',
        'a:443',
        '*.example.com',
        'a_b',
        '\x24{HOST}',
        '%{HTTP_HOST}',
        'a>b',
        'a#b',
        'ä.de',
      ],
      ...['a.example.com.', 'a\u2028b', `${'a'.repeat(64)}.example`, `${'a.'.repeat(127)}aa`, 'a.example\n'],
    ]
    for (const serverName of hostile) refuses({ serverName }, /write it like auth\.example\.com/)
  })

  it('writes a name in small letters', () => {
    const text = vhostConfiguration({ ...site, serverName: 'Auth.Example.COM' })
    assert.match(text, /^ {2}ServerName auth\.example\.com$/m)
    assert.doesNotMatch(text, /Example\.COM/)
  })

  it('takes a short name, an xn-- name and an address', () => {
    for (const serverName of ['localhost', 'xn--mnchen-3ya.de', '192.0.2.1', 'a'.repeat(63)]) {
      assert.match(vhostConfiguration({ ...site, serverName }), new RegExp(`"https://${serverName}/"`))
    }
  })
})

describe('the paths in a virtual host', () => {
  const hostile = [
    ...[
      '/a"b',
      "/a'b",
      '/a\nb',
      '/a\rb',
      '/a\tb',
      '/a\0b',
      '/a\\',
      '/a\\"',
      '/a\x24{HOME}',
      '/a%{REMOTE_USER}',
    ],
    ...[
      '/a>b',
      '/a<b',
      '/a|b',
      '/a*',
      '/a?',
      '/[ab]',
      '/a\u2028b',
      '/a\u0085b',
      '/a\u202eb',
      '/a\u200bb',
      '/a\ud800',
    ],
  ]
  const crooked = ['/a/../b', '/..', '/a/./b', '//a', '/a//b']
  const relative = ['', 'a', './a', '~/a', 'C:/a', ' /a', '"/a', '-x']

  it('refuses what could end the quotes, be expanded or be taken for a pattern', () => {
    for (const path of hostile) {
      refuses({ certificate: path }, /^certificate .*: write a path without/)
      refuses({ key: path }, /^key .*: write a path without/)
      refuses({ backend: { kind: 'unix', path } }, /^backend\.path .*: write a path without/)
    }
  })

  it('refuses paths that are relative or go back', () => {
    for (const path of relative)
      refuses({ certificate: path }, /^certificate .*: write a path that begins with \/$/)
    for (const path of crooked) refuses({ key: path }, /^key .*: write the path without/)
  })

  it('shows what it refused on one line', () => {
    refuses({ certificate: `/${'\n'.repeat(500)}` }, /^[^\n]{1,400}$/)
  })

  it('quotes blanks and letters of every script', () => {
    const text = vhostConfiguration({
      ...site,
      certificate: '/etc/my certs/größe.pem',
      key: '/etc/my keys/größe.key',
    })
    assert.match(text, /^ {2}SSLCertificateFile "\/etc\/my certs\/größe\.pem"$/m)
    assert.match(text, /^ {2}SSLCertificateKeyFile "\/etc\/my keys\/größe\.key"$/m)
  })

  it('never lets a value out of its place, whatever it is', () => {
    const usual = vhostConfiguration({ ...site, certificate: '/unlikely', key: '/improbable' })
    const value = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.stringMatching(/^[ -~\n]*$/))
    fc.assert(
      fc.property(value, value, (first, second) => {
        const [certificate, key] = [`/1${first}`, `/2${second}`]
        let text: string
        try {
          text = vhostConfiguration({ ...site, certificate, key })
        } catch (fault) {
          assert.ok(fault instanceof VhostError)
          return
        }
        assert.equal(text.split('\n').length, usual.split('\n').length)
        assert.equal(
          skeleton(skeleton(text, `"${certificate}"`), `"${key}"`),
          skeleton(skeleton(usual, '"/unlikely"'), '"/improbable"'),
        )
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('the application behind a virtual host', () => {
  it('is reached over its socket', () => {
    assert.match(
      vhostConfiguration(site),
      /^ {2}ProxyPass "\/" "unix:\/run\/watchword\/watchword\.sock\|http:\/\/auth\.example\.com\/" retry=0 /m,
    )
  })

  it('is reached over loopback, IPv4 and IPv6', () => {
    const at = (host: string): string =>
      vhostConfiguration({ ...site, backend: { kind: 'tcp', host, port: 8000 } })
    assert.match(at('127.0.0.1'), /^ {2}ProxyPass "\/" "http:\/\/127\.0\.0\.1:8000\/" /m)
    assert.match(at('::1'), /^ {2}ProxyPass "\/" "http:\/\/\[::1\]:8000\/" /m)
  })

  it('must not be reachable around Apache', () => {
    for (const host of [
      '0.0.0.0',
      '::',
      '10.0.0.1',
      'localhost',
      'example.com',
      '',
      '127.0.0.1/',
      '127.1',
      '128.0.0.1',
    ]) {
      refuses({ backend: { kind: 'tcp', host, port: 8000 } }, /is not loopback: write 127\.0\.0\.1/)
    }
  })

  it('has a socket that fits', () => {
    refuses({ backend: { kind: 'unix', path: `/${'a'.repeat(95)}` } }, /at most 95/)
    refuses({ backend: { kind: 'unix', path: '/run/a b' } }, /letters, digits/)
  })

  it('has ports that exist', () => {
    for (const port of [0, -1, 65_536, 1.5, Number.NaN]) {
      refuses({ backend: { kind: 'tcp', host: '127.0.0.1', port } }, /^backend\.port .*whole number/)
      refuses({ httpPort: port }, /^httpPort .*whole number/)
      refuses({ httpsPort: port }, /^httpsPort .*whole number/)
    }
    refuses({ httpPort: 8443, httpsPort: 8443 }, /two ports/)
  })
})

describe('the text of the virtual hosts', () => {
  const text = vhostConfiguration(site)
  const lines = text.split('\n')
  const directives = lines.filter((line) => !/^\s*(#|$)/.test(line))
  const count = (pattern: RegExp): number => directives.filter((line) => pattern.test(line)).length

  it('names its modules and how to install it first', () => {
    assert.match(
      text.slice(0, text.indexOf('<VirtualHost')),
      /a2enmod ssl proxy proxy_http headers\n[\s\S]*a2ensite watchword/,
    )
  })

  it('has one host for each port, and both have the same limits', () => {
    assert.deepEqual(
      directives.filter((line) => line.startsWith('<VirtualHost')),
      ['<VirtualHost *:80>', '<VirtualHost *:443>'],
    )
    for (const limit of [
      'TraceEnable off',
      'HttpProtocolOptions Strict',
      'LimitRequestFieldSize ',
      'RequestReadTimeout ',
    ]) {
      assert.equal(count(new RegExp(`^ {2}${limit}`)), 2, limit)
    }
  })

  it('builds no address from what a client says', () => {
    assert.equal(count(/HTTP_HOST|HTTP:Host|SERVER_NAME|Rewrite(Rule|Engine)/i), 0)
    assert.equal(count(/^ {4}Redirect permanent "\/" "https:\/\/auth\.example\.com\/"$/), 1)
  })

  it('writes the port where it is not the usual one', () => {
    const other = vhostConfiguration({ ...site, httpPort: 8080, httpsPort: 8443 })
    assert.match(other, /^<VirtualHost \*:8080>$/m)
    assert.match(other, /Redirect permanent "\/" "https:\/\/auth\.example\.com:8443\/"$/m)
    assert.match(other, /RequestHeader set Host "auth\.example\.com:8443"$/m)
  })

  it('unsets each guarded name in each spelling, before anything reads it', () => {
    const unset = new Set(directives.map((line) => /^ {2}RequestHeader unset (\S+) early$/.exec(line)?.[1]))
    assert.ok(guardedHeaders.length >= 60)
    assert.equal(new Set(guardedHeaders.map((name) => name.toLowerCase())).size, guardedHeaders.length)
    for (const name of guardedHeaders) {
      assert.ok(unset.has(name), name)
      assert.ok(unset.has(name.replaceAll('-', '_')), name)
      assert.ok(unset.has(name.replace('-', '_')), name)
    }
    assert.ok(unset.has('X_Forwarded-For') && unset.has('X-Forwarded_For'))
  })

  it('has neither sections by method nor loose access', () => {
    assert.equal(count(/<Limit|Satisfy|Allow from|AllowEncodedSlashes|UnsafeAllow/i), 0)
  })

  it('leaves every address to the application: nothing comes from a disk', () => {
    assert.equal(count(/Alias|<Directory|DocumentRoot|SetHandler|ProxyPass "\/.+"!"/), 0)
    assert.equal(count(/^ {2}ProxyPass /), 1)
  })

  it('leaves the errors of the application as they are, whatever the rest of the server does', () => {
    assert.equal(count(/^ {2}ProxyErrorOverride Off$/), 1)
    assert.equal(count(/ErrorDocument/), 0)
  })

  it('has no line that Apache would join with the next', () => {
    assert.equal(lines.filter((line) => line.endsWith('\\')).length, 0)
  })
})
