import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { decodeBase32, encodeBase32 } from '../../../src/domain/otp/base32.ts'

/** RFC 4648 §10. */
const vectors = [
  ['', ''],
  ['f', 'MY======'],
  ['fo', 'MZXQ===='],
  ['foo', 'MZXW6==='],
  ['foob', 'MZXW6YQ='],
  ['fooba', 'MZXW6YTB'],
  ['foobar', 'MZXW6YTBOI======'],
] as const

describe('base32', () => {
  it('gives the values of RFC 4648 §10, without their padding', () => {
    for (const [plain, text] of vectors) {
      assert.equal(encodeBase32(Buffer.from(plain)), text.replaceAll('=', ''))
    }
  })

  it('reads the values of RFC 4648 §10, with their padding and without', () => {
    for (const [plain, text] of vectors) {
      assert.deepEqual(decodeBase32(text), new Uint8Array(Buffer.from(plain)))
      assert.deepEqual(decodeBase32(text.replaceAll('=', '')), new Uint8Array(Buffer.from(plain)))
    }
  })

  it('reads back whatever it wrote, in either case, in groups of four, with padding', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
        const text = encodeBase32(bytes)
        assert.match(text, /^[A-Z2-7]*$/)
        const padded = text.padEnd(Math.ceil(text.length / 8) * 8, '=')
        const groups = text.match(/.{1,4}/g) ?? []
        const spellings = [
          text,
          text.toLowerCase(),
          padded,
          groups.join(' '),
          groups.join('-'),
          ` ${groups.join('  ')} `,
        ]
        for (const spelling of spellings) assert.deepEqual(decodeBase32(spelling), bytes)
      }),
      { numRuns: 500 },
    )
  })

  it('has one text for each value: what it reads, it writes the same', () => {
    const symbols = fc.string({ unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'), maxLength: 24 })
    fc.assert(
      fc.property(symbols, (text) => {
        const bytes = decodeBase32(text)
        if (bytes !== undefined) assert.equal(encodeBase32(bytes), text)
      }),
      { numRuns: 2000 },
    )
  })

  const refused = {
    'digits that look like letters': ['MZXW0YTB', 'MZXW1YTB', 'MZXW8YTB', 'MZXW9YTB'],
    'lengths that no bytes encode to': ['M', 'MZX', 'MZXW6Y', 'MZXW6YTBO', 'AAAAAAAAAAA'],
    'left over bits that are not zero': ['MZ', 'MZXR', 'MZXW7', 'MZXW6YR', '77'],
    'padding of the wrong length': [
      'MY=',
      'MY=====',
      'MY=======',
      'MZXW6YTB=',
      'MZXW6YTB========',
      '========',
    ],
    'padding that is not at the end': ['=MY=====', 'M=Y=====', 'MY======MY======'],
    'other white space': ['MZXW\t6YTB', 'MZXW6YTB\n', 'MZXW\u00a06YTB', '\ufeffMZXW6YTB'],
    'letters that only become ASCII in upper case': ['MZXW6YT\u0131', 'MZXW6YT\u017f'],
    'other alphabets': ['MZXW6YT+', 'MZXW/YTB', 'MZXW_YTB', 'ＭＺＸＷ６ＹＴＢ', 'MZXW6YTÄ'],
  }
  for (const [what, texts] of Object.entries(refused)) {
    it(`refuses ${what}`, () => {
      for (const text of texts) assert.equal(decodeBase32(text), undefined, JSON.stringify(text))
    })
  }
})
