import { canonicalCode } from '../../src/domain/otp/code.ts'
import {
  formatRecoveryCode,
  parseRecoveryCode,
  recoveryCodeFrom,
} from '../../src/domain/otp/recovery-code.ts'
import { normalizeUsername, usernameProblem } from '../../src/domain/user.ts'
import { hardCharacters } from '../../test/domain/username-samples.ts'
import type { Random } from '../support/random.ts'
import { slowCode, slowRecoveryCode, slowUsername } from '../support/slow-spellings.ts'
import type { Trial } from '../support/trial.ts'

const TEXTS = 500

/** Readers of what people type agree with slow ones that look at one character after the other. */
export const spellings: Trial = {
  id: 'FT-FUZZ-6',
  name: 'spellings',
  holds:
    'A code, a recovery code and a username have one canonical form each, the same as a slow reader finds.',
  rounds: `batches of ${3 * TEXTS} texts`,
  sizes: { ci: 134, soak: 6667, release: 6667 },
  needs: ['codes read', 'recovery codes read', 'names read', 'names accepted', 'texts refused'],
  patience: 60,
  begin: async () => ({
    round: async (_, random) => {
      const counts = {
        'codes read': 0,
        'recovery codes read': 0,
        'names read': 0,
        'names accepted': 0,
        'texts refused': 0,
      }
      const violations: string[] = []
      const wrong = (what: string, text: string) =>
        violations.push(`${what}: ${JSON.stringify(text)} (${Buffer.from(text).toString('hex')})`)
      for (let text = 0; text < TEXTS; text++) {
        const code = codeText(random)
        const read = canonicalCode(code)
        if (read !== slowCode(code)) wrong('a code is read otherwise', code)
        if (read !== undefined && canonicalCode(read) !== read) wrong('a code is not canonical', code)
        counts[read === undefined ? 'texts refused' : 'codes read']++

        const recovery = recoveryText(random)
        const found = parseRecoveryCode(recovery)
        if (JSON.stringify(found) !== JSON.stringify(slowRecoveryCode(recovery)))
          wrong('a recovery code is read otherwise', recovery)
        if (
          found !== undefined &&
          JSON.stringify(parseRecoveryCode(formatRecoveryCode(found))) !== JSON.stringify(found)
        )
          wrong('a recovery code is not canonical', recovery)
        for (const each of [code, recovery])
          if (canonicalCode(each) !== undefined && parseRecoveryCode(each) !== undefined)
            wrong('a text is two kinds of code', each)
        counts[found === undefined ? 'texts refused' : 'recovery codes read']++

        const typed = nameText(random)
        const name = normalizeUsername(typed)
        if (name !== slowUsername(typed)) wrong('a name is read otherwise', typed)
        if (normalizeUsername(name) !== name) wrong('a name is not canonical', typed)
        for (const other of otherSpellings(typed))
          if (normalizeUsername(other) !== name) wrong('a name has two forms', typed)
        const isAccepted = usernameProblem(typed) === undefined
        if (isAccepted && usernameProblem(name) !== undefined)
          wrong('a name is accepted and its form is not', typed)
        counts['names read']++
        if (isAccepted) counts['names accepted']++
      }
      return { counts, violations }
    },
    end: async () => undefined,
  }),
}

/** Case is changed of what is decomposed, as Unicode compares names (D145). */
const otherSpellings = (typed: string): string[] => [
  ...(['NFC', 'NFD', 'NFKC', 'NFKD'] as const).map((form) => typed.normalize(form)),
  typed.normalize('NFKD').toUpperCase(),
  typed.normalize('NFKD').toLowerCase(),
]

const separators = [
  ...[' ', '-', ' ', '-', '  ', '--', '\t', '\n', '\u00a0', '\u00ad', '\u2010', '\u2011', '\u2212'],
  ...['\u200b', '\u2060', '\ufeff', '\u3000', '.', '+', ',', '\0', '\u0301'],
]

function codeText(random: Random): string {
  const length = random.pick([6, 6, 6, 8, 8, 12, 16, 5, 7, 10, 14, 17, 0])
  const digits = Array.from({ length }, () => String(random.below(10)))
  return withDamage(digits, random, (digit) => {
    const zero = random.pick([0x660, 0x6f0, 0x966, 0xff10, 0x1d7ce, 0x1d7d8, 0x2070, 0x41, 0x4f])
    return String.fromCodePoint(zero + (Number(digit) || 0))
  })
}

function recoveryText(random: Random): string {
  const shown = formatRecoveryCode(recoveryCodeFrom(random.below(10), random.bytes(10)))
  const typed = [...shown].map((character) => {
    switch (random.below(12)) {
      case 0:
      case 1:
        return character.toLowerCase()
      case 2:
        return { 0: 'oO', 1: 'iIlL' }[character]?.charAt(random.below(2)) ?? character
      default:
        return character
    }
  })
  return withDamage(typed, random, () => random.pick(['U', 'u', 'ı', 'ſ', 'K', 'Ａ', 'ﬁ', '٣', 'ß', '']))
}

/** Mostly whole, sometimes with one or a few characters put in, replaced or lost. */
function withDamage(characters: readonly string[], random: Random, other: (was: string) => string): string {
  const text = [...characters]
  for (let changes = random.pick([0, 0, 1, 1, 2, 3]); changes > 0 && text.length > 0; changes--) {
    const at = random.below(text.length)
    const was = text[at] ?? ''
    switch (random.below(4)) {
      case 0:
        text[at] = other(was)
        break
      case 1:
        text.splice(at, random.below(2))
        break
      default:
        text.splice(at, 0, random.pick(separators))
    }
  }
  return text.join('')
}

const scripts = [
  'aAbBiIjJzZßſıİÅåﬁﬀǅŉǰẖẘḭįᵢⱼɨʝéÉÀḯǭẞKÅªＡａⅷ019._-\u0300\u0301\u0307\u0308\u0316\u0327\u0328',
  'αβσςΣΟοΩΩάΆΐΰµ019._-\u0300\u0301\u0308\u0313\u0342\u0345',
  'абвгйёЙЁіјїІЈЇꙋᲀ019._-\u0306\u0307\u0308\u0316',
  '한글가각한ᄀㅎㄱ019._-',
  'קשםןא\u05bc\u05c1\u05bfשּׁ019._-',
  'かガがｶﾞ漢字神ー019._-\u3099\u309a',
].map((script) => [...script])

function nameText(random: Random): string {
  const script = random.pick(scripts)
  return Array.from({ length: 1 + random.below(10) }, () => {
    const kind = random.below(20)
    if (kind < 14) return random.pick(script)
    if (kind < 18) return random.pick(hardCharacters)
    // Not of the surrogates alone, which no UTF-8 carries.
    const point = random.below(0x110000 - 0x800)
    return String.fromCodePoint(point < 0xd800 ? point : point + 0x800)
  }).join('')
}
