import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { placeOf } from '../../src/authorizer/place.ts'
import { takeTicket, withTicket } from '../../src/domain/ticket.ts'
import { parseToken } from '../../src/domain/token.ts'

const hosts = new Set(['https://wiki.example.net', 'https://shop.example.org:8443'])
const addressOf = (requestUri: string, host = 'wiki.example.net', scheme: 'http' | 'https' = 'https') =>
  placeOf({ scheme, host, requestUri }, hosts)?.address()
const ticket = parseToken('A'.repeat(43))

describe('the place of a request', () => {
  it('is on a listed host, with its scheme and port', () => {
    assert.equal(addressOf('/a?b=c'), 'https://wiki.example.net/a?b=c')
    assert.equal(addressOf('/', 'WIKI.example.net:443'), 'https://wiki.example.net/')
    assert.equal(addressOf('/', 'shop.example.org:8443'), 'https://shop.example.org:8443/')
    for (const host of [
      'evil.example',
      'shop.example.org',
      'wiki.example.net:8443',
      'wiki.example.net.',
      '',
      '[::1]',
    ]) {
      assert.equal(addressOf('/', host), undefined, host)
    }
    assert.equal(addressOf('/', 'wiki.example.net', 'http'), undefined)
    assert.equal(placeOf({ scheme: undefined, host: 'wiki.example.net', requestUri: '/' }, hosts), undefined)
    assert.equal(placeOf({ scheme: 'https', host: undefined, requestUri: '/' }, hosts), undefined)
  })

  it('never leads off the host, whatever the target is (SEC-RED-1)', () => {
    for (const target of [
      'http://evil.example/',
      '//evil.example/',
      '/\\evil.example',
      '*',
      '',
      '@evil.example',
      '.evil.example',
    ]) {
      assert.equal(new URL(addressOf(target) ?? '').origin, 'https://wiki.example.net', target)
    }
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (target) => {
        const latin = Buffer.from(target).toString('latin1')
        const address = addressOf(latin) ?? ''
        assert.equal(new URL(address).origin, 'https://wiki.example.net')
        // What the serializer of answers takes: printable ASCII without quotes and brackets.
        assert.match(address, /^https:\/\/[!#$%&(-;=?-[\]_a-z~]*$/)
      }),
    )
  })

  it('keeps what a percent sign would have said', () => {
    assert.equal(addressOf('/%2e%2F?q=%27'), 'https://wiki.example.net/%2e%2F?q=%27')
    assert.equal(addressOf("/a'b|c?d'e^f"), 'https://wiki.example.net/a%27b%7Cc?d%27e%5Ef')
    assert.equal(addressOf('/\xc3\xa9'), 'https://wiki.example.net/%C3%A9')
  })

  it('is the front page where the address is too long to keep', () => {
    assert.equal(addressOf(`/${'a'.repeat(1700)}`)?.length, 'https://wiki.example.net/'.length + 1700)
    assert.equal(addressOf(`/${'a'.repeat(1800)}`), 'https://wiki.example.net/')
    assert.equal(addressOf(`/${'/'.repeat(700)}`), 'https://wiki.example.net/')
  })
})

describe('a ticket at the end of an address', () => {
  it('goes and comes without a trace', () => {
    assert.ok(ticket !== undefined)
    for (const address of [
      'https://a.example/',
      'https://a.example/?',
      'https://a.example/b?c=d&e',
      '/x?y=%20+',
    ]) {
      assert.deepEqual(takeTicket(withTicket(address, ticket)), { rest: address, ticket })
    }
    assert.equal(
      withTicket('https://a.example/b#c', ticket),
      `https://a.example/b?watchword_ticket=${ticket}#c`,
    )
  })

  it('is none anywhere else, or of another shape', () => {
    for (const address of [
      `/?watchword_ticket=${ticket}&a=b`,
      `/?watchword_ticket=${ticket}A`,
      '/?watchword_ticket=',
      `/watchword_ticket=${ticket}`,
      `/?xwatchword_ticket=${ticket}`,
    ]) {
      assert.deepEqual(takeTicket(address), { rest: address, ticket: undefined })
    }
  })
})
