import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  parseDatabase,
  parseFileMode,
  parseListen,
  parseNetwork,
  parseOrigin,
  printDatabase,
  printFileMode,
  printListen,
  printNetwork,
} from '../../src/config/values.ts'

class Refused extends Error {}

function refuse(why: string): never {
  throw new Refused(why)
}

test('an address to listen on is printed as it is read', () => {
  for (const text of [
    '127.0.0.1:8000',
    'localhost:0',
    '[::1]:65535',
    'unix:/run/watchword/socket',
    'unix:a:b',
  ]) {
    assert.equal(printListen(parseListen(text, refuse)), text)
  }
  assert.deepEqual(parseListen('[::1]:8000', refuse), { kind: 'tcp', host: '::1', port: 8000 })
})

test('an address to listen on needs an IP address and a port', () => {
  for (const text of [
    '',
    '8000',
    ':8000',
    '127.0.0.1',
    '::1:8000',
    '[127.0.0.1]:1',
    'example.com:80',
    '127.0.0.1:65536',
    '127.0.0.1:',
    'unix:',
  ]) {
    assert.throws(() => parseListen(text, refuse), Refused, text)
  }
})

test('a network is printed as it is read, and a lone address gets the longest prefix', () => {
  for (const text of ['10.0.0.0/8', '192.0.2.7/32', 'fc00::/7', '2001:db8::/64', '::1/128']) {
    assert.equal(printNetwork(parseNetwork(text, refuse)), text)
  }
  assert.equal(printNetwork(parseNetwork('192.0.2.7', refuse)), '192.0.2.7/32')
  assert.equal(printNetwork(parseNetwork('::1', refuse)), '::1/128')
})

test('a network that trusts everybody is refused in every disguise (SEC-PXY-1)', () => {
  const wildcards = [
    '*',
    '0.0.0.0/0',
    '::/0',
    '1.2.3.4/0',
    '0.0.0.0/1',
    '128.0.0.0/1',
    '8000::/1',
    '2000::/3',
  ]
  const disguisedIpv4 = [
    '::ffff:0:0/96',
    '::/8',
    '00ff::/8',
    '::ffff:0.0.0.0/97',
    '::ffff:128.0.0.0/97',
    '::/64',
  ]
  for (const text of [...wildcards, ...disguisedIpv4])
    assert.throws(() => parseNetwork(text, refuse), Refused, text)
})

test('what is not a network is refused', () => {
  for (const text of [
    '',
    'localhost',
    '10.0.0',
    '10.0.0.0/33',
    '::1/129',
    '10.0.0.0/',
    '10.0.0.0/-1',
    'fe80::1%eth0',
    '10.*',
  ]) {
    assert.throws(() => parseNetwork(text, refuse), Refused, text)
  }
})

test('an origin is brought to the form of WHATWG', () => {
  assert.equal(parseOrigin('HTTPS://Auth.Example.COM:443/', refuse), 'https://auth.example.com')
  assert.equal(parseOrigin('https://bücher.example', refuse), 'https://xn--bcher-kva.example')
  assert.equal(parseOrigin('https://auth.example.com:8443', refuse), 'https://auth.example.com:8443')
})

test('plain http is for this machine alone', () => {
  const local = ['http://localhost:8000', 'http://127.0.0.1', 'http://127.1.2.3:9', 'http://[::1]:8000']
  for (const text of local) assert.equal(parseOrigin(text, refuse), text)
  for (const text of [
    'http://auth.example.com',
    'http://192.0.2.1',
    'http://127.0.0.1.example.com',
    'http://localhost.example',
  ]) {
    assert.throws(() => parseOrigin(text, refuse), Refused, text)
  }
})

test('an origin is nothing but scheme, host and port', () => {
  const texts = [
    '',
    'auth.example.com',
    'ftp://a.example',
    'https://',
    'https://a.example/x',
    'https://a.example/?',
    'https://a.example#',
  ]
  for (const text of [
    ...texts,
    'https://u@a.example',
    'https://*.a.example',
    'https://a.example:99999',
    'https://a b',
    'https:\\\\a.example',
  ]) {
    assert.throws(() => parseOrigin(text, refuse), Refused, text)
  }
})

test('a database is printed as it is read, but for its passwords', () => {
  for (const text of [
    'sqlite:/var/lib/w.sqlite3',
    'sqlite:w',
    'postgres://u@h:5432/d',
    'postgresql:///d?host=/run/postgresql',
  ]) {
    assert.equal(decodeURIComponent(printDatabase(parseDatabase(text, refuse))), text)
  }
  const printed = printDatabase(
    parseDatabase('postgres://u:hush@h/d?password=hush&passwordfile=hush', refuse),
  )
  assert.doesNotMatch(printed, /hush/)
})

test('a database is neither in memory nor of another make', () => {
  for (const text of [
    '',
    'sqlite:',
    'sqlite::memory:',
    'sqlite://x',
    'mysql://h/d',
    'postgres:h',
    '/var/lib/w',
  ]) {
    assert.throws(() => parseDatabase(text, refuse), Refused, text)
  }
})

test('permissions are three octal digits', () => {
  assert.equal(parseFileMode('0660', refuse), 0o660)
  assert.equal(printFileMode(parseFileMode('007', refuse)), '007')
  for (const text of ['', '66', '668', '1660', 'rw-', '0o660'])
    assert.throws(() => parseFileMode(text, refuse), Refused, text)
})
