import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseReturnTo } from '../../src/domain/return-to.ts'

const own = 'https://auth.example.com'
const origins = { own, others: new Set(['https://wiki.example.com', 'https://shop.example:8443']) }
const parse = (text: string) => parseReturnTo(text, origins)

describe('where people may be sent back to (SEC-RED-1)', () => {
  it('takes paths of our own, with query and fragment', () => {
    for (const path of ['/', '/account', '/account/sessions?x=1&y=%2F#z']) assert.equal(parse(path), path)
  })

  it('takes addresses on listed origins, and on no other', () => {
    assert.equal(parse('https://wiki.example.com/page?a=b'), 'https://wiki.example.com/page?a=b')
    assert.equal(parse('https://shop.example:8443/'), 'https://shop.example:8443/')
    const others = [
      'http://wiki.example.com/',
      'https://wiki.example.com:444/',
      'https://wiki.example.com.evil.example/',
      'https://evilwiki.example.com/',
      'https://wiki.example.com@evil.example/',
      'https://user@wiki.example.com/',
      'https://shop.example/',
      own,
    ]
    for (const address of others) assert.equal(parse(address), undefined, address)
  })

  it('refuses what a browser would read as another host', () => {
    const lures = [
      '',
      'evil.example',
      '//evil.example',
      '///evil.example',
      '/\\evil.example',
      '\\\\evil.example',
      '/\t/evil.example',
      '/\n/evil.example',
      ' //evil.example',
      '/.//evil.example',
      '/x/..//evil.example',
      '/%2e//evil.example',
      'javascript:alert(1)',
      'data:text/html,x',
      'https:evil.example',
      'https:/evil.example',
      'https:\\\\evil.example',
      '/\u202e',
      '/\0',
      `/${'a'.repeat(2048)}`,
    ]
    for (const lure of lures) assert.equal(parse(lure), undefined, JSON.stringify(lure))
  })

  it('never gives anything that leads off our origin or the listed ones', () => {
    const pieces = [
      '/',
      '//',
      '\\',
      '.',
      '..',
      '%2e',
      '%5c',
      '@',
      ':',
      '?',
      '#',
      'evil.example',
      'https:',
      '\t',
      'x',
    ]
    const texts = fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string()), { maxLength: 8 })
    fc.assert(
      fc.property(texts, (parts) => {
        const text = parts.join('')
        for (const start of ['', '/', 'https://wiki.example.com']) {
          const given = parse(start + text)
          if (given === undefined) continue
          const { origin } = new URL(given, own)
          assert.ok(origin === own || origins.others.has(origin), `${start}${text} → ${given}`)
          assert.doesNotMatch(given, /^\/\/|[\\\s]/)
        }
      }),
      { numRuns: 5000 },
    )
  })
})
