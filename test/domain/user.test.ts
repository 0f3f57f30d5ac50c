import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  explainUsername,
  normalizeUsername,
  USERNAME_MAXIMUM,
  type UsernameProblem,
  usernameProblem,
} from '../../src/domain/user.ts'
import { anyName, likelyName } from './username-samples.ts'

const codePoints = (text: string) =>
  [...text].map((character) => character.codePointAt(0)?.toString(16)).join(' ')

const letterMarkOrNumber = /^[\p{L}\p{M}\p{N}]$/u

/** Every letter, mark and number of Unicode. */
function* everyCharacter(): Generator<string> {
  for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) {
    const character = String.fromCodePoint(codePoint)
    if (letterMarkOrNumber.test(character)) yield character
  }
}

describe('the canonical form of a username (SEC-INP-7)', () => {
  const oneAccount = {
    case: ['alice', 'Alice', 'ALICE', 'aLiCe'],
    width: ['alice', 'ａｌｉｃｅ', 'ＡＬＩＣＥ', 'al\uff49ce'],
    'sharp s and long s': ['strasse', 'straße', 'STRASSE', 'STRAẞE', 'ſtraſſe', 'Straſse'],
    'i with and without its dot': ['iris', 'IRIS', 'İRİS', 'ırıs', 'IRıs', 'i\u0307ris', 'I\u0307RIS'],
    'dots without end above an i': ['iris', `i${'\u0307'.repeat(6)}ris`, `I${'\u0307'.repeat(30)}RIS`],
    'a dot above a mark below': ['i\u0316', 'i\u0316\u0307', 'I\u0316\u0307', 'İ\u0316', 'i\u0307\u0316'],
    'a dot above other letters that have one': ['jana', 'j\u0307ana', 'JANA', 'J\u0307ANA'],
    'a Cyrillic letter with a dot of its own': ['іван', 'і\u0307ван', 'ІВАН'],
    'an iota below a letter with an accent': ['ῷ', 'ῼ\u0342', 'ω\u0342\u0345', 'Ω\u0345\u0342', 'ῶ\u0345'],
    'final sigma': ['σισυφοσ', 'σισυφος', 'ΣΙΣΥΦΟΣ', 'Σισυφος'],
    ligatures: ['finn', 'ﬁnn', 'FINN', 'ﬁNN'],
    digraphs: ['džordž', 'ǆorǆ', 'ǅorǆ', 'ǄORǄ', 'DŽORDŽ'],
    'the signs for kelvin, ångström and ohm': ['kåω', 'KÅΩ', 'kÅΩ', 'ka\u030aω'],
    composition: ['zoë', 'zoe\u0308', 'ZOË', 'ZOE\u0308'],
    'the order of marks': ['a\u0316\u0301', 'a\u0301\u0316', 'á\u0316'],
    'Hangul syllables and jamo': ['한글', '한글'.normalize('NFD'), '\u1112\u1161\u11ab\u1100\u1173\u11af'],
    'half-width kana': ['ガ', 'ｶﾞ', 'カ\u3099'],
    'circled and mathematical letters': ['admin', 'ⓐⓓⓜⓘⓝ', '𝐚𝐝𝐦𝐢𝐧', '𝕬𝕯𝕸𝕴𝕹', 'ᵃᵈᵐⁱⁿ'],
  }
  for (const [what, spellings] of Object.entries(oneAccount)) {
    it(`is one for ${what}`, () => {
      const [first = ''] = spellings
      for (const spelling of spellings) {
        assert.equal(normalizeUsername(spelling), normalizeUsername(first), codePoints(spelling))
      }
    })
  }

  it('keeps people apart whose names differ', () => {
    const names = [
      'alice',
      'alicé',
      'al.ice',
      'al_ice',
      'alice1',
      'aliçe',
      'álice',
      'аlice',
      'ø',
      'o',
      'ł',
      'l',
    ]
    assert.equal(new Set(names.map(normalizeUsername)).size, names.length)
  })

  it('does not change when it is formed again, over 100,000 texts (L-31)', () => {
    fc.assert(
      fc.property(anyName, (text) => {
        const form = normalizeUsername(text)
        assert.equal(normalizeUsername(form), form, codePoints(text))
      }),
      { numRuns: 100_000 },
    )
  })

  it('does not change when it is formed again, for every letter, mark and number of Unicode (L-31)', () => {
    let count = 0
    for (const character of everyCharacter()) {
      const form = normalizeUsername(character)
      if (normalizeUsername(form) !== form) assert.fail(codePoints(character))
      count++
    }
    assert.ok(count > 140_000)
  })

  it('does not change when it is formed again, however many marks are piled up (L-31)', () => {
    for (const base of ['i', 'ı', 'İ', 'j', 'ß', 'α', 'ｉ', 'ﬁ', '\u0345']) {
      for (const mark of ['\u0307', '\u0345', '\u0301', '\u0316\u0307', '\u0307\u0316']) {
        for (let count = 0; count <= 40; count++) {
          const form = normalizeUsername(base + mark.repeat(count))
          assert.equal(normalizeUsername(form), form, codePoints(base + mark.repeat(count)))
        }
      }
    }
  })

  it('is one for every spelling in another case or composition of an accepted name', () => {
    let accepted = 0
    fc.assert(
      fc.property(likelyName, (text) => {
        if (usernameProblem(text) !== undefined) return
        accepted++
        const form = normalizeUsername(text)
        const composed = text.normalize('NFC')
        for (const spelling of [
          composed,
          composed.toUpperCase(),
          composed.toLowerCase(),
          text.normalize('NFD'),
          text.normalize('NFKC'),
          text.normalize('NFKD'),
        ]) {
          assert.equal(normalizeUsername(spelling), form, `${codePoints(text)}: ${codePoints(spelling)}`)
        }
      }),
      { numRuns: 20_000 },
    )
    assert.ok(accepted > 5000, `${accepted}`)
  })
})

describe('an accepted username (SEC-INP-7, L-31)', () => {
  for (const name of [
    'a',
    '7',
    'alice',
    'Alice.Smith-Jones_3',
    'alice@example.org',
    'a+b',
    '_service',
    'Zoë',
    'ñandú',
    'Straße',
    'Łukasz',
    'Иван',
    'Ελένη',
    'Անի',
    'דוד',
    'محمد',
    'राम',
    'สมชาย',
    'გიორგი',
    '김철수',
    '山田太郎',
    'やまだ太郎',
    'ヤマダ',
    '王小明',
    'علي1',
  ]) {
    it(`may be ${name}`, () => assert.equal(usernameProblem(name), undefined))
  }

  const canonicalIsAccepted = (text: string) => {
    if (usernameProblem(text) !== undefined) return false
    const form = normalizeUsername(text)
    if (usernameProblem(form) !== undefined) assert.fail(`${codePoints(text)}: ${usernameProblem(form)}`)
    if (normalizeUsername(form) !== form) assert.fail(`${codePoints(text)} changes`)
    return true
  }

  it('has a canonical form that is accepted too and stays as it is, over 60,000 texts', () => {
    let accepted = 0
    const count = (text: string) => {
      if (canonicalIsAccepted(text)) accepted++
    }
    fc.assert(fc.property(anyName, count), { numRuns: 30_000 })
    fc.assert(fc.property(likelyName, count), { numRuns: 30_000 })
    assert.ok(accepted > 10_000, `${accepted}`)
  })

  it('has such a canonical form with every letter, mark and number of Unicode in it', () => {
    let accepted = 0
    for (const character of everyCharacter()) {
      if (canonicalIsAccepted(character)) accepted++
      if (canonicalIsAccepted(`a${character}`)) accepted++
    }
    assert.ok(accepted > 90_000, `${accepted}`)
  })

  it('has at most 64 code points, as typed and in canonical form', () => {
    assert.equal(USERNAME_MAXIMUM, 64)
    for (const character of ['a', 'é', '한', '漢', '\u{20000}']) {
      assert.equal(usernameProblem(character.repeat(64)), undefined, character)
      assert.equal(usernameProblem(character.repeat(65)), 'too-long', character)
    }
    assert.equal(usernameProblem('ß'.repeat(32)), undefined)
    assert.equal(usernameProblem('ß'.repeat(33)), 'too-long')
    assert.equal(usernameProblem('ﬃ'.repeat(22)), 'too-long')
    assert.equal(usernameProblem('a'.repeat(100_000)), 'too-long')
    assert.equal(usernameProblem(`i${'\u0307'.repeat(63)}`), undefined)
    assert.equal(usernameProblem(`i${'\u0307'.repeat(64)}`), 'too-long')
  })
})

describe('the sentence about a username', () => {
  it('is another for every problem', () => {
    const problems: Record<UsernameProblem, true> = {
      empty: true,
      'too-long': true,
      'forbidden-character': true,
      'mixed-scripts': true,
      'surrounding-space': true,
      'trailing-dot': true,
    }
    const sentences = (Object.keys(problems) as UsernameProblem[]).map(explainUsername)
    for (const sentence of sentences) assert.match(sentence, /^A username .*\.$/)
    assert.equal(new Set(sentences).size, 6)
  })
})
