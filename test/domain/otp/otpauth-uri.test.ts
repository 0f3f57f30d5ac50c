import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { decodeBase32 } from '../../../src/domain/otp/base32.ts'
import {
  type OtpauthUri,
  otpauthUri,
  parseOtpauthUri,
  type TotpUri,
} from '../../../src/domain/otp/otpauth-uri.ts'

const key = new Uint8Array(Buffer.from('12345678901234567890'))
const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const alice: TotpUri = {
  kind: 'totp',
  issuer: 'Example Co',
  account: 'alice@example.org',
  key,
  algorithm: 'sha1',
  digits: 6,
  period: 30,
}

/** Text a label can carry unchanged: no colon, no outer white space, no half characters. */
const name = fc
  .string({ unit: 'grapheme', maxLength: 20 })
  .filter((text) => text === text.trim() && !/:/.test(text))
const common = {
  issuer: name,
  account: name,
  key: fc.uint8Array({ minLength: 1, maxLength: 64 }),
  algorithm: fc.constantFrom('sha1' as const, 'sha256' as const, 'sha512' as const),
  digits: fc.constantFrom(6 as const, 8 as const),
}
const plainObject = { noNullPrototype: true }
const anyUri: fc.Arbitrary<OtpauthUri> = fc.oneof(
  fc.record(
    { kind: fc.constant('totp' as const), ...common, period: fc.integer({ min: 10, max: 300 }) },
    plainObject,
  ),
  fc.record({ kind: fc.constant('hotp' as const), ...common, counter: fc.maxSafeNat() }, plainObject),
)

describe('a key URI (SEC-OTP-16)', () => {
  it('is written for the least able reader', () => {
    assert.equal(
      otpauthUri(alice),
      `otpauth://totp/Example%20Co:alice%40example.org?secret=${secret}&issuer=Example%20Co` +
        '&algorithm=SHA1&digits=6&period=30',
    )
    assert.equal(
      otpauthUri({
        kind: 'hotp',
        issuer: 'A+B',
        account: 'Zoë',
        key,
        algorithm: 'sha256',
        digits: 8,
        counter: 0,
      }),
      `otpauth://hotp/A%2BB:Zo%C3%AB?secret=${secret}&issuer=A%2BB&algorithm=SHA256&digits=8&counter=0`,
    )
  })

  it('has no padding in its secret, whatever the length of the key', () => {
    for (let length = 1; length <= 20; length++) {
      assert.match(otpauthUri({ ...alice, key: key.subarray(0, length) }), /\?secret=[A-Z2-7]+&issuer=/)
    }
  })

  it('has one colon in its label: one in a name becomes a space', () => {
    const uri = otpauthUri({ ...alice, issuer: 'https://example.org:8443', account: ':dept:alice:' })
    assert.match(uri, /^otpauth:\/\/totp\/https%20%2F%2Fexample\.org%208443:dept%20alice\?/)
    assert.match(uri, /&issuer=https%20%2F%2Fexample\.org%208443&/)
    const names = fc.string({ unit: 'binary', maxLength: 20 })
    fc.assert(
      fc.property(names, names, (issuer, account) => {
        const label = /^otpauth:\/\/totp\/([^?]*)\?/.exec(
          otpauthUri({ ...alice, issuer: `I${issuer}`, account }),
        )?.[1]
        assert.match(label ?? '', /^[^:]+:[^:]*$/)
        assert.doesNotMatch(label ?? '', /%3A|[+ ]/i)
      }),
    )
  })

  it('names no issuer when there is none', () => {
    const uri = otpauthUri({ ...alice, issuer: '' })
    assert.match(uri, /^otpauth:\/\/totp\/alice%40example\.org\?secret=[A-Z2-7]+&algorithm=/)
    assert.deepEqual(parseOtpauthUri(uri), { ...alice, issuer: '' })
  })

  it('can carry half a character, as the replacement character', () => {
    assert.equal(parseOtpauthUri(otpauthUri({ ...alice, account: 'a\ud800b' }))?.account, 'a\ufffdb')
  })

  it('is not written with an empty key, or a period or counter out of range', () => {
    assert.throws(() => otpauthUri({ ...alice, key: new Uint8Array() }), RangeError)
    for (const period of [0, 9, 301, 30.5, Number.NaN]) {
      assert.throws(() => otpauthUri({ ...alice, period }), RangeError)
    }
    for (const counter of [-1, 0.5, 2 ** 53]) {
      assert.throws(() => otpauthUri({ ...alice, kind: 'hotp', counter }), RangeError)
    }
  })

  it('is read back as it was written', () => {
    fc.assert(
      fc.property(anyUri, (uri) => assert.deepEqual(parseOtpauthUri(otpauthUri(uri)), uri)),
      { numRuns: 1000 },
    )
  })

  it('says the same to a reader built on URL', () => {
    fc.assert(
      fc.property(
        anyUri.filter(({ issuer }) => issuer !== ''),
        (uri) => {
          const text = otpauthUri(uri)
          const url = new URL(text)
          assert.equal(url.href, text)
          assert.equal(url.protocol, 'otpauth:')
          assert.equal(url.host, uri.kind)
          const label = url.pathname.slice(1).split(':').map(decodeURIComponent)
          assert.deepEqual(label, [uri.issuer, uri.account])
          const pairs = url.search
            .slice(1)
            .split('&')
            .map((pair) => pair.split('=').map(decodeURIComponent))
          assert.equal(pairs[0]?.[0], 'secret')
          const { secret = '', ...rest } = Object.fromEntries(pairs)
          assert.deepEqual(decodeBase32(secret), uri.key)
          assert.deepEqual(rest, {
            issuer: uri.issuer,
            algorithm: uri.algorithm.toUpperCase(),
            digits: String(uri.digits),
            ...(uri.kind === 'totp' ? { period: String(uri.period) } : { counter: String(uri.counter) }),
          })
          assert.equal(url.searchParams.get('issuer'), uri.issuer)
        },
      ),
      { numRuns: 1000 },
    )
  })
})

describe('reading a key URI of another issuer', () => {
  const plain: TotpUri = { ...alice, issuer: '', account: 'alice' }

  it('takes a secret in lower case, in groups, and padded', () => {
    const spellings = [
      secret.toLowerCase(),
      'gezd%20gnbv%20gy3t%20qojq%20gezd%20gnbv%20gy3t%20qojq',
      'GEZD-GNBV-GY3T-QOJQ-GEZD-GNBV-GY3T-QOJQ',
      'gezd+gnbv+gy3t+qojq+gezd+gnbv+gy3t+qojq',
    ]
    for (const spelling of spellings) {
      assert.deepEqual(parseOtpauthUri(`otpauth://totp/alice?secret=${spelling}`), plain, spelling)
    }
    for (const padded of ['MY======', 'MY%3D%3D%3D%3D%3D%3D']) {
      const uri = parseOtpauthUri(`otpauth://totp/alice?secret=${padded}`)
      assert.deepEqual(uri?.key, new Uint8Array([0x66]))
    }
  })

  it('takes SHA1, 6 and 30 where nothing is said', () => {
    assert.deepEqual(parseOtpauthUri(`otpauth://totp/alice?secret=${secret}`), plain)
    assert.deepEqual(parseOtpauthUri(`otpauth://hotp/alice?secret=${secret}&counter=7`), {
      kind: 'hotp',
      issuer: '',
      account: 'alice',
      key,
      algorithm: 'sha1',
      digits: 6,
      counter: 7,
    })
  })

  it('finds the issuer in the label, behind an encoded colon too, unless the parameter says another', () => {
    const issuerOf = (rest: string) => {
      const uri = parseOtpauthUri(`otpauth://totp/${rest}`)
      return [uri?.issuer, uri?.account]
    }
    assert.deepEqual(issuerOf(`Big%20Co:alice?secret=${secret}`), ['Big Co', 'alice'])
    assert.deepEqual(issuerOf(`Big%20Co%3Aalice?secret=${secret}`), ['Big Co', 'alice'])
    assert.deepEqual(issuerOf(`Big%20Co:%20alice?secret=${secret}`), ['Big Co', 'alice'])
    assert.deepEqual(issuerOf(`Old:alice?secret=${secret}&issuer=New`), ['New', 'alice'])
    assert.deepEqual(issuerOf(`Old:alice?secret=${secret}&issuer=`), ['Old', 'alice'])
    assert.deepEqual(issuerOf(`alice?secret=${secret}&issuer=Big+Co`), ['Big Co', 'alice'])
    assert.deepEqual(issuerOf(`a/b:dept/alice?secret=${secret}`), ['a/b', 'dept/alice'])
    assert.deepEqual(issuerOf(`?secret=${secret}`), ['', ''])
  })

  it('does not mind parameters it does not know, other case, or space around', () => {
    const text = ` OTPAUTH://TOTP/alice?image=x&secret=${secret}&algorithm=sha-1&&digits=6&color=&flag#part\n`
    assert.equal(parseOtpauthUri(text), undefined)
    assert.deepEqual(parseOtpauthUri(text.replace('#part', '')), plain)
  })

  const given = (rest: string) => `otpauth://totp/alice?secret=${secret}${rest}`
  const counterGiven = (rest: string) => `otpauth://hotp/alice?secret=${secret}${rest}`
  const refused = {
    'what is no key URI': [
      '',
      'otpauth',
      secret,
      `https://totp/alice?secret=${secret}`,
      `otpauth:totp/a?secret=${secret}`,
    ],
    'other kinds': [
      `otpauth://steam/a?secret=${secret}`,
      'otpauth-migration://offline?data=AA',
      `otpauth://totp?secret=${secret}`,
    ],
    'a missing or unreadable secret': [
      'otpauth://totp/a',
      'otpauth://totp/a?',
      'otpauth://totp/a?secret=',
      'otpauth://totp/a?secret=M1',
      'otpauth://totp/a?SECRET=MY',
    ],
    'other hashes': [
      given('&algorithm=MD5'),
      given('&algorithm='),
      given('&algorithm=SHA3-256'),
      given('&algorithm=SHA'),
    ],
    'other numbers of digits': ['5', '7', '9', '06', '6.0', '', '-6', '+6', 'six'].map((digits) =>
      given(`&digits=${digits}`),
    ),
    'a period out of range': ['0', '9', '301', '30.5', '-30', '', '3e1', '99999999999999999999'].map(
      (period) => given(`&period=${period}`),
    ),
    'a counter out of range': ['-1', '1.5', '', '9007199254740992', '99999999999999999999', '0x1'].map(
      (counter) => counterGiven(`&counter=${counter}`),
    ),
    'a counter token without its counter': [counterGiven('')],
    'a parameter given twice': [given(`&secret=${secret}`), given('&digits=6&digits=8'), given('&x=1&x=1')],
    'broken percent-encoding': [
      `otpauth://totp/%zz?secret=${secret}`,
      given('&issuer=%'),
      given('&issuer=%ff'),
      given('&%ff=1'),
    ],
  }
  for (const [what, texts] of Object.entries(refused)) {
    it(`refuses ${what}`, () => {
      for (const text of texts) assert.equal(parseOtpauthUri(text), undefined, text)
    })
  }

  it('answers any text without throwing', () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 10 }),
      fc.constantFrom(
        'otpauth://',
        'totp/',
        'hotp/',
        '?secret=',
        secret,
        '&counter=',
        '&issuer=',
        '%',
        ':',
        '7',
      ),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        parseOtpauthUri(parts.join(''))
      }),
      { numRuns: 3000 },
    )
  })
})
