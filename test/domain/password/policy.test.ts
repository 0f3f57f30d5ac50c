import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  explainPassword,
  isPasswordTooLong,
  normalizePassword,
  type PasswordLists,
  type PasswordProblem,
  passwordProblem,
} from '../../../src/domain/password/policy.ts'

const rules = { minimumLength: 8, minimumLengthAlone: 15, barredWords: ['Northwind', 'example.org', ''] }
const noLists: PasswordLists = { isCommon: () => false, isBreached: () => false }
const withFactor = { usernames: ['alice.smith', 'Ærøskøbing'], opensAlone: false }
const alone = { ...withFactor, opensAlone: true }
const problem = (typed: string, about = withFactor, lists = noLists) =>
  passwordProblem(typed, about, rules, lists)

/** Text of `length` code points that no list and no word is in. */
const family = '👨‍👩‍👧‍👦'
const units = {
  'ASCII letters': { unit: 'x', points: 1 },
  'letters with an accent': { unit: 'é', points: 1 },
  'letters with a combining accent, which are composed first': { unit: 'e\u0301', points: 1 },
  'decomposed Hangul, which is composed first': { unit: '한'.normalize('NFD'), points: 1 },
  'emoji outside the first plane': { unit: '😀', points: 1 },
  'letters with a combining mark that cannot be composed': { unit: 'x\u0301', points: 2 },
  'families of emoji, counted by their code points': { unit: family, points: 7 },
  ideographs: { unit: '𠮷', points: 1 },
}

/** The unit repeated, and filled with single letters, to just this many code points. */
function ofLength({ unit, points }: { unit: string; points: number }, length: number): string {
  return unit.repeat(Math.floor(length / points)) + 'q'.repeat(length % points)
}

describe('the length of a password (SEC-PW-1)', () => {
  for (const [what, sample] of Object.entries(units)) {
    it(`is at least 8, or 15 where it opens a session alone, in ${what}`, () => {
      assert.deepEqual(problem(ofLength(sample, 7)), { kind: 'too-short', minimum: 8 })
      assert.equal(problem(ofLength(sample, 8)), undefined)
      assert.deepEqual(problem(ofLength(sample, 8), alone), { kind: 'too-short', minimum: 15 })
      assert.deepEqual(problem(ofLength(sample, 14), alone), { kind: 'too-short', minimum: 15 })
      assert.equal(problem(ofLength(sample, 15), alone), undefined)
    })

    it(`is at most 256 or 1,024 bytes, in ${what} (SEC-PW-2)`, () => {
      const longest = Math.floor(Math.min(256, 1024 / bytesPerPoint(sample)))
      for (let length = longest - 8; length <= longest + 8; length++) {
        const typed = ofLength(sample, length)
        const composed = typed.normalize('NFC')
        const tooLong = [...composed].length > 256 || new TextEncoder().encode(composed).length > 1024
        assert.equal(isPasswordTooLong(typed), tooLong, `${length}`)
        assert.deepEqual(problem(typed, alone), tooLong ? { kind: 'too-long' } : undefined, `${length}`)
      }
      assert.equal(isPasswordTooLong(ofLength(sample, longest - 8)), false)
      assert.equal(isPasswordTooLong(ofLength(sample, 257)), true)
    })
  }

  const bytesPerPoint = ({ unit, points }: { unit: string; points: number }) =>
    Buffer.byteLength(unit.normalize('NFC')) / points

  it('may be 64 and more, up to 256 letters of any alphabet (SEC-PW-2)', () => {
    for (const character of ['x', 'ж', '漢', '😀']) {
      for (const length of [64, 100, 255, 256]) {
        assert.equal(problem(character.repeat(length), alone), undefined, `${length} ${character}`)
      }
      assert.deepEqual(problem(character.repeat(257)), { kind: 'too-long' })
    }
    assert.equal(Buffer.byteLength('😀'.repeat(256)), 1024)
  })

  it('is at most 1,024 bytes where composing makes it longer', () => {
    // U+1D160 is one code point of 4 bytes that NFC turns into three of 12.
    const note = '\u{1d160}'
    assert.equal(normalizePassword(note).length, 6)
    assert.equal(isPasswordTooLong(note.repeat(85)), false)
    assert.equal(isPasswordTooLong(note.repeat(86)), true)
  })

  it('is looked at before anything else, so that no list is asked about a book', () => {
    const asked: string[] = []
    const lists = { isCommon: (text: string) => asked.push(text) > 0, isBreached: () => assert.fail() }
    assert.deepEqual(problem('x'.repeat(1_000_000), withFactor, lists), { kind: 'too-long' })
    assert.deepEqual(problem('x'.repeat(7), withFactor, lists), { kind: 'too-short', minimum: 8 })
    assert.deepEqual(asked, [])
  })
})

describe('the form of a password (SEC-PW-4)', () => {
  it('is composed and otherwise untouched, over 20,000 texts', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (text) => {
        const form = normalizePassword(text)
        assert.equal(form, text.normalize('NFC'))
        assert.equal(normalizePassword(text.normalize('NFD')), form)
        assert.equal(normalizePassword(form), form)
      }),
      { numRuns: 20_000 },
    )
    for (const text of [' a ', 'A', 'ﬁ', '①', 'ａ', 'x²', 'a\0b', '\t', 'ſ', 'ı']) {
      assert.equal(normalizePassword(text), text)
    }
  })

  it('has no rules of composition: any text that is long enough will do (SEC-PW-3)', () => {
    for (const typed of [
      'correct horse battery',
      'qzxwvkjh',
      'QZXWVKJH',
      '        ',
      '73925816',
      '!"#$%&\'(',
      'пароль на сегодня',
      '合言葉は秘密です',
      '\u0301'.repeat(8),
    ]) {
      assert.equal(problem(typed), undefined, typed)
    }
    for (let code = 32; code < 127; code++) {
      assert.equal(problem(`zq${String.fromCharCode(code)}vwkxj`), undefined, `${code}`)
    }
  })
})

describe('the lists of known passwords (SEC-PW-5)', () => {
  const listing = (common: string[], breached: string[]): PasswordLists => ({
    isCommon: (text) => common.includes(text),
    isBreached: (text) => breached.includes(text),
  })

  it('refuse an entry, and an entry in capitals or full width', () => {
    const lists = listing(['sunshine1', 'Iloveyou2'], [])
    for (const typed of [
      'sunshine1',
      'SUNSHINE1',
      'SunShine1',
      'ｓｕｎｓｈｉｎｅ１',
      'Iloveyou2',
      'sunſhine1',
    ]) {
      assert.deepEqual(problem(typed, withFactor, lists), { kind: 'common' }, typed)
    }
  })

  it('refuse a leaked password, in the letters it was leaked in', () => {
    const lists = listing([], ['Zürich im Schnee'])
    assert.deepEqual(problem('Zürich im Schnee', withFactor, lists), { kind: 'breached' })
    assert.deepEqual(problem('Zu\u0308rich im Schnee', withFactor, lists), { kind: 'breached' })
    assert.equal(problem('zürich im schnee', withFactor, lists), undefined)
  })

  it('are asked about the whole only', () => {
    const lists = listing(['sunshine1'], ['sunshine1'])
    for (const typed of ['sunshine12', 'asunshine1', ' sunshine1', 'sunshine1 ', 'my sunshine1 today']) {
      assert.equal(problem(typed, withFactor, lists), undefined, typed)
    }
  })
})

describe('words of the place (SEC-PW-6)', () => {
  const words = ['alice.smith', 'Northwind', 'example.org', 'watchword', 'ærøskøbing']
  const variants = (word: string) => [
    word,
    word.toUpperCase(),
    word.normalize('NFD'),
    `${word}1`,
    `${word}2026!`,
    `123${word}`,
    `!!${word}!!`,
    `${word} 2026`,
    `  ${word.toUpperCase()}  `,
    `${word}😀😀`,
    `«${word}»`,
    `${word}${'9'.repeat(200)}`,
  ]
  for (const word of words) {
    it(`refuse ${word} with trivial things around it`, () => {
      for (const typed of variants(word)) assert.deepEqual(problem(typed), { kind: 'site-word' }, typed)
    })

    it(`allow ${word} within a longer phrase`, () => {
      for (const typed of [`${word} at dawn`, `my ${word}`, `${word}${word}x`, `x${word}`, `${word}s`]) {
        assert.equal(problem(typed), undefined, typed)
      }
    })
  }

  it('refuse no other password: an empty word or one of signs only means nothing', () => {
    const about = { usernames: ['', '...', '12345'], opensAlone: false }
    for (const typed of ['73925816', '!!!!!!!!!', 'quite another', '12345678']) {
      assert.equal(passwordProblem(typed, about, { ...rules, barredWords: ['', '2026'] }, noLists), undefined)
    }
  })

  it('refuse a word of signs only when it is the very password', () => {
    const about = { usernames: ['73925816'], opensAlone: false }
    assert.deepEqual(passwordProblem('73925816', about, rules, noLists), { kind: 'site-word' })
    assert.equal(passwordProblem('73925817', about, rules, noLists), undefined)
  })
})

describe('the sentence about a password (SEC-PW-12)', () => {
  it('says why, and is another for every problem', () => {
    const problems: Record<PasswordProblem['kind'], PasswordProblem> = {
      'too-short': { kind: 'too-short', minimum: 15 },
      'too-long': { kind: 'too-long' },
      common: { kind: 'common' },
      breached: { kind: 'breached' },
      'site-word': { kind: 'site-word' },
      unchanged: { kind: 'unchanged' },
    }
    const sentences = Object.values(problems).map(explainPassword)
    assert.equal(new Set(sentences).size, 6)
    assert.match(explainPassword(problems['too-short']), /at least 15 characters/)
    assert.match(explainPassword(problems['too-long']), /at most 256 characters \(1024 bytes\)/)
    for (const kind of ['common', 'breached', 'site-word', 'unchanged'] as const) {
      assert.match(explainPassword(problems[kind]), /Choose another\.$/)
    }
  })
})
