declare const userId: unique symbol

/** Identifies a user for ever; never given to anybody else, even after deletion. */
export type UserId = string & { readonly [userId]: true }

/** A person who signs in. */
export interface User {
  readonly id: UserId
  /** As it was typed when the account was made; shown, never compared. */
  readonly username: string
  readonly displayName: string
  readonly isSuperuser: boolean
  readonly disabled: boolean
  /**
   * Whether a second factor was proven. From then on a password alone opens nothing, not even enrolment
   * (SEC-AUTH-4), until the user removes the last device with a fresh proof, where a factor is optional.
   */
  readonly hasSecondFactor: boolean
  /** Whether the password is to be replaced at the next sign-in (SEC-PW-8). */
  readonly mustChangePassword: boolean
  /** Goes up whenever a factor, the password or the right to sign in changes. */
  readonly epoch: number
}

/** Longest username, in code points of its canonical form. */
export const USERNAME_MAXIMUM = 64

export type UsernameProblem =
  | 'empty'
  | 'too-long'
  | 'forbidden-character'
  | 'mixed-scripts'
  | 'surrounding-space'
  | 'trailing-dot'

/** Scripts that may stand together in one name; Latin with Cyrillic or Greek is how look-alikes are made. */
const scripts = [
  'Latin',
  'Cyrillic',
  'Greek',
  'Armenian',
  'Hebrew',
  'Arabic',
  'Devanagari',
  'Bengali',
  'Thai',
  'Georgian',
  'Hangul',
] as const
const scriptTests = scripts.map((script) => new RegExp(`\\p{Script=${script}}`, 'u'))
const japaneseOrChinese = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}]/u
const listedScripts = new RegExp(
  `[${scripts.map((script) => `\\p{Script=${script}}`).join('')}\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Bopomofo}\\p{Script=Common}\\p{Script=Inherited}]`,
  'u',
)

/**
 * Letters, marks, ASCII digits and `. _ - @ +`, and nothing else: no space, colon, percent sign, slash or control
 * character, because Basic, `REMOTE_USER`, key URIs and logs carry names.
 */
const allowed = /^[\p{L}\p{M}0-9._@+-]$/u

/** Letters and marks that show nothing, as variation selectors and Hangul fillers: two names could look alike. */
const invisible = /\p{Default_Ignorable_Code_Point}/u

/**
 * The one form in which names are compared: NFKC, case folded, repeated until it no longer changes (SEC-INP-7).
 *
 * Any text has one, also text that may not become a name, so that a look-up, a throttle and a refusal
 * all agree on what was typed.
 */
export function normalizeUsername(typed: string): string {
  let form = typed
  // Folding can undo composition and the other way round; three rounds reach the fixed point of every code point.
  for (let round = 0; round < 4; round++) {
    // Decomposed, because an iota below a letter becomes one beside it, which must have none of the letter's marks
    // (Unicode D145).
    const next = foldCase(form.normalize('NFKD'))
    if (next === form) return form
    form = next
  }
  return form
}

/**
 * Upper then lower maps sharp s, final sigma and dotted i to one spelling each, which lower case alone does not.
 *
 * Dots above a letter that has one are dropped, however many and wherever among its marks: they do not show.
 */
function foldCase(text: string): string {
  return text
    .toUpperCase()
    .toLowerCase()
    .replaceAll('ς', 'σ')
    .replaceAll('ı', 'i')
    .normalize('NFD')
    .replace(/\p{Soft_Dotted}\p{M}+/gu, (dotted) => dotted.replaceAll('\u0307', ''))
    .normalize('NFKC')
}

/**
 * Says why a text may not become a username, or gives `undefined` when it may.
 *
 * 1 to 64 code points in canonical form, of one script (Latin may not stand beside Cyrillic or Greek),
 * without characters that travel badly (SEC-INP-7).
 */
export function usernameProblem(typed: string): UsernameProblem | undefined {
  const name = normalizeUsername(typed)
  if (name.length === 0) return 'empty'
  if ([...name].length > USERNAME_MAXIMUM || [...typed].length > USERNAME_MAXIMUM) return 'too-long'
  if (typed.trim() !== typed) return 'surrounding-space'
  for (const text of [typed, name]) {
    for (const character of text) {
      const known = allowed.test(character) && listedScripts.test(character)
      if (!known || invisible.test(character)) return 'forbidden-character'
    }
  }
  if (/^[.@+-]|\.$/.test(name)) return 'trailing-dot'
  // A combining mark that stands alone would attach itself to whatever is shown before the name.
  if (/^\p{M}/u.test(name)) return 'forbidden-character'
  const used = scriptTests.filter((test) => test.test(name)).length + (japaneseOrChinese.test(name) ? 1 : 0)
  return used > 1 ? 'mixed-scripts' : undefined
}

/** The sentence that tells a person what is wrong with a username and what to do. */
export function explainUsername(problem: UsernameProblem): string {
  switch (problem) {
    case 'empty':
      return 'A username is needed.'
    case 'too-long':
      return `A username may have at most ${USERNAME_MAXIMUM} characters.`
    case 'forbidden-character':
      return 'A username may have letters, digits and . _ - @ + only.'
    case 'mixed-scripts':
      return 'A username may not mix alphabets, because letters of different alphabets can look the same.'
    case 'surrounding-space':
      return 'A username may not begin or end with a space.'
    case 'trailing-dot':
      return 'A username may not begin with . @ + - or end with a full stop.'
  }
}
