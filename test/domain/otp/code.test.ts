import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { canonicalCode, equalCodes } from '../../../src/domain/otp/code.ts'

const code = '012345'

/** Every place in the code where something can be put in: before each digit and at the end. */
const places = Array.from({ length: code.length + 1 }, (_, place) => place)
const putIn = (text: string, place: number) => code.slice(0, place) + text + code.slice(place)
const everywhere = (...texts: string[]) => texts.flatMap((text) => places.map((place) => putIn(text, place)))
const atEnds = (...texts: string[]) =>
  texts.flatMap((text) => [text + code, code + text, `012${text}345`, text + code + text])

/** The code in other digits of Unicode, by the zero of each script. */
const inScripts = (...zeros: number[]) =>
  zeros.map((zero) => [...code].map((digit) => String.fromCodePoint(zero + Number(digit))).join(''))

const same = {
  'the plain code': [code],
  'a space anywhere': everywhere(' '),
  'a hyphen anywhere': everywhere('-'),
  'groups of two and three': ['012 345', '01 23 45', '012-345', '01-23-45', '012 - 345', '0 1 2 3 4 5'],
  'runs of separators': everywhere('   ', '--', '- -'),
}

const refused = {
  'tabs and line ends': atEnds('\t', '\n', '\r', '\r\n', '\v', '\f'),
  'other spaces of Unicode': atEnds('\u00a0', '\u2007', '\u2009', '\u202f', '\u3000', '\u2028', '\ufeff'),
  'marks that are not seen': atEnds('\u200b', '\u200d', '\u2060', '\u00ad', '\u0000', '\u202e', '\u0301'),
  'other hyphens and dashes': atEnds('\u2010', '\u2011', '\u2013', '\u2014', '\u2212', '\uff0d'),
  'signs, points and number syntax': [
    ...atEnds('+', '_', '.', ',', "'", '/', ':', '#', 'e', 'x'),
    ...['0x3039', '1.2345e4', '12345n', '012345.0', '0b11', '0o30071', 'NaN', 'Infinity'],
  ],
  'digits of other scripts': [
    // Full width, Arabic, Persian, Devanagari, Bengali, Thai, Tibetan, Khmer, mathematical bold, segmented.
    ...inScripts(0xff10, 0x660, 0x6f0, 0x966, 0x9e6, 0xe50, 0xf20, 0x17e0, 0x1d7ce, 0x1fbf0),
    ...['01234\uff15', '01234\u0665', '01234\u2075', '01234\u2464', '\u24ea12345'],
  ],
  'zeros more or less': ['12345', '0012345', '000012345', '0000012345', '00000000012345', ' 12345'],
  'other lengths': [
    '',
    ' ',
    '-',
    '0',
    '0123456',
    '012345678',
    '01234567890',
    '0123456789012',
    '01234567890123456',
  ],
  'a code among other text': [
    'G-012345',
    'code 012345',
    '"012345"',
    '[012345]',
    '["012345"]',
    '012345;',
    'o12345',
  ],
  'encoded text': ['%30%31%32%33%34%35', '012%20345', '012+345', '&#48;12345', '\\u0030\\u0031'],
}

describe('the canonical form of a code (SEC-OTP-5)', () => {
  for (const [rule, texts] of Object.entries(same)) {
    it(`takes ${rule} for the same code`, () => {
      for (const text of texts) assert.equal(canonicalCode(text), code, JSON.stringify(text))
    })
  }

  for (const [rule, texts] of Object.entries(refused)) {
    it(`refuses ${rule}`, () => {
      for (const text of texts) assert.equal(canonicalCode(text), undefined, JSON.stringify(text))
    })
  }

  it('was asked at least 200 different spellings', () => {
    const spellings = new Set([...Object.values(same), ...Object.values(refused)].flat())
    assert.ok(spellings.size >= 200, `${spellings.size} spellings`)
  })

  it('takes 6 or 8 digits, and 12 or 16 for two codes in a row, leading zeros kept (SEC-OTP-10)', () => {
    for (let number = 0; number < 1000; number++) {
      const digits = String(number).padStart(6, '0')
      assert.equal(canonicalCode(digits), digits)
    }
    assert.equal(canonicalCode('0000 0123'), '00000123')
    assert.equal(canonicalCode('000 001 000 002'), '000001000002')
    assert.equal(canonicalCode('0000 0001-0000 0002'), '0000000100000002')
  })

  it('gives digits of a known length or nothing, whatever is typed', () => {
    const typed = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 24 }),
      fc.string({ unit: fc.constantFrom(...'0123456789 -'), maxLength: 24 }),
    )
    fc.assert(
      fc.property(typed, (text) => {
        const canonical = canonicalCode(text)
        if (canonical === undefined) return
        assert.match(canonical, /^[0-9]+$/)
        assert.ok([6, 8, 12, 16].includes(canonical.length))
        assert.equal(canonicalCode(canonical), canonical)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('comparing codes', () => {
  it('tells the same from different, whatever the lengths', () => {
    assert.equal(equalCodes('012345', '012345'), true)
    assert.equal(equalCodes('012345', '012346'), false)
    assert.equal(equalCodes('012345', '12345'), false)
    assert.equal(equalCodes('012345', '01234567'), false)
    assert.equal(equalCodes('', ''), true)
    assert.equal(equalCodes('012345', '01234\u0665'), false)
  })
})
