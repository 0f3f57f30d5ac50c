import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { canonicalCode } from '../../../src/domain/otp/code.ts'
import {
  formatRecoveryCode,
  parseRecoveryCode,
  RECOVERY_CODE_COUNT,
  recoveryCodeFrom,
} from '../../../src/domain/otp/recovery-code.ts'

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const anyIndex = fc.integer({ min: 0, max: RECOVERY_CODE_COUNT - 1 })
const anyEntropy = fc.uint8Array({ minLength: 10, maxLength: 10 })
const anyCode = fc.tuple(anyIndex, anyEntropy).map(([index, entropy]) => recoveryCodeFrom(index, entropy))

describe('a recovery code', () => {
  it('is shown as its index and four groups of four', () => {
    assert.equal(formatRecoveryCode({ index: 3, secret: 'ABCDEFGHJKMNPQRS' }), '3-ABCD-EFGH-JKMN-PQRS')
    assert.equal(formatRecoveryCode(recoveryCodeFrom(0, new Uint8Array(10))), '0-0000-0000-0000-0000')
    assert.equal(
      formatRecoveryCode(recoveryCodeFrom(9, new Uint8Array(10).fill(255))),
      '9-ZZZZ-ZZZZ-ZZZZ-ZZZZ',
    )
    const counting = Buffer.from('00443214c74254b635cf', 'hex')
    assert.equal(formatRecoveryCode(recoveryCodeFrom(1, counting)), '1-0123-4567-89AB-CDEF')
  })

  it('carries all 80 bits: the entropy can be read back from it (SEC-REC-1)', () => {
    fc.assert(
      fc.property(anyIndex, anyEntropy, (index, entropy) => {
        const { secret } = recoveryCodeFrom(index, entropy)
        const number = [...secret].reduce((sum, symbol) => sum * 32n + BigInt(crockford.indexOf(symbol)), 0n)
        assert.equal(secret.length, 16)
        assert.equal(number.toString(16).padStart(20, '0'), Buffer.from(entropy).toString('hex'))
      }),
    )
  })

  it('does not come twice in 100,000 (SEC-REC-1)', () => {
    const secrets = new Set<string>()
    for (let i = 0; i < 100_000; i++) secrets.add(recoveryCodeFrom(i % 10, randomBytes(10)).secret)
    assert.equal(secrets.size, 100_000)
  })

  it('is not made of too little randomness or for a place outside the set', () => {
    for (const length of [0, 9, 11, 20]) {
      assert.throws(() => recoveryCodeFrom(0, new Uint8Array(length)), RangeError)
    }
    for (const index of [-1, 10, 0.5, Number.NaN]) {
      assert.throws(() => recoveryCodeFrom(index, new Uint8Array(10)), RangeError)
    }
  })

  it('is read back from what was shown, in either case, with other separators or none (SEC-REC-4)', () => {
    fc.assert(
      fc.property(anyCode, (code) => {
        const shown = formatRecoveryCode(code)
        assert.match(shown, /^[0-9](?:-[0-9A-HJKMNP-TV-Z]{4}){4}$/)
        const spellings = [
          shown,
          shown.toLowerCase(),
          shown.replaceAll('-', ''),
          shown.replaceAll('-', ' '),
          ` ${shown.replaceAll('-', ' - ')} `,
          [...shown].join(' '),
          shown.replaceAll('0', 'O').replaceAll('1', 'I'),
          shown.replaceAll('0', 'o').replaceAll('1', 'l'),
          shown.replaceAll('1', 'L').toLowerCase(),
        ]
        for (const spelling of spellings) assert.deepEqual(parseRecoveryCode(spelling), code, spelling)
      }),
      { numRuns: 500 },
    )
  })

  it('reads look-alikes in the index as well', () => {
    assert.equal(parseRecoveryCode('O-ABCD-EFGH-JKMN-PQRS')?.index, 0)
    assert.equal(parseRecoveryCode('l-ABCD-EFGH-JKMN-PQRS')?.index, 1)
  })

  const refused = {
    'a code cut short or too long': [
      '',
      '3',
      '3-ABCD-EFGH-JKMN-PQR',
      '3-ABCD-EFGH-JKMN-PQRST',
      'ABCD-EFGH-JKMN-PQRS',
    ],
    'an index that is a letter': ['A-ABCD-EFGH-JKMN-PQRS', 'Z-ABCD-EFGH-JKMN-PQRS'],
    'the letter left out of the alphabet': ['3-ABCD-EFGH-JKMN-PQRU', '3-uBCD-EFGH-JKMN-PQRS'],
    'other separators': [
      '3_ABCD_EFGH_JKMN_PQRS',
      '3.ABCD.EFGH.JKMN.PQRS',
      '3-ABCD-EFGH-JKMN-PQRS\n',
      '3\tABCDEFGHJKMNPQRS',
    ],
    'spaces and dashes beyond ASCII': [
      '3\u00a0ABCDEFGHJKMNPQRS',
      '3\u2013ABCDEFGHJKMNPQRS',
      '\ufeff3ABCDEFGHJKMNPQRS',
    ],
    'letters that only become ASCII in upper case': [
      '3-ABCD-EFGH-JKMN-PQR\u017f',
      '3-ABCD-EFGH-JKMN-PQR\u0131',
    ],
    'letters and digits of other scripts': [
      '３-ABCD-EFGH-JKMN-PQRS',
      '3-ＡBCD-EFGH-JKMN-PQRS',
      '3-АBCD-EFGH-JKMN-PQRS',
    ],
    'marks around it': ['"3-ABCD-EFGH-JKMN-PQRS"', '3-ABCD-EFGH-JKMN-PQRS.', '*3-ABCD-EFGH-JKMN-PQRS'],
  }
  for (const [what, texts] of Object.entries(refused)) {
    it(`refuses ${what}`, () => {
      for (const text of texts) assert.equal(parseRecoveryCode(text), undefined, JSON.stringify(text))
    })
  }
})

describe('what is typed into the one field for codes', () => {
  it('is never both a one-time code and a recovery code (SEC-REC-4)', () => {
    const notBoth = (text: string) =>
      assert.ok(canonicalCode(text) === undefined || parseRecoveryCode(text) === undefined, text)
    // All digits is where they could meet, at any length.
    for (let length = 0; length <= 40; length++) notBoth('1'.repeat(length))
    const typed = fc.string({
      unit: fc.constantFrom(...'0123456789', ...'  --', 'O', 'l', 'A'),
      maxLength: 30,
    })
    fc.assert(fc.property(typed, notBoth), { numRuns: 5000 })
    const allDigits = fc.string({ unit: fc.constantFrom(...'0123456789 -'), maxLength: 30 })
    fc.assert(fc.property(allDigits, notBoth), { numRuns: 5000 })
  })

  it('of 17 digits is a recovery code and no one-time code', () => {
    const text = '3-0123-4567-8901-2345'
    assert.deepEqual(parseRecoveryCode(text), { index: 3, secret: '0123456789012345' })
    assert.equal(canonicalCode(text), undefined)
  })
})
