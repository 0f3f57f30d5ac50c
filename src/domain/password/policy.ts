import { normalizeUsername } from '../user.ts'

/** Longest password, in bytes of its NFC form in UTF-8 and in code points (SEC-PW-2). */
const PASSWORD_MAXIMUM_BYTES = 1024
const PASSWORD_MAXIMUM_LENGTH = 256

export type PasswordProblem =
  | { readonly kind: 'too-short'; readonly minimum: number }
  | { readonly kind: 'too-long' }
  | { readonly kind: 'common' }
  | { readonly kind: 'breached' }
  | { readonly kind: 'site-word' }
  /** The password that is to be replaced was given again. */
  | { readonly kind: 'unchanged' }

export interface PasswordRules {
  /** Shortest password where a second factor is always demanded, in code points. */
  readonly minimumLength: number
  /** Shortest password that can open a session by itself, in code points. */
  readonly minimumLengthAlone: number
  /** Words of this site that may not be a password by themselves (SEC-PW-6). */
  readonly barredWords: readonly string[]
}

/** Lists of passwords that everybody tries first; both are asked about the whole password only. */
export interface PasswordLists {
  isCommon(password: string): boolean
  isBreached(password: string): boolean
}

/** The one form in which passwords are hashed: NFC, and nothing else is changed (SEC-PW-4). */
export function normalizePassword(typed: string): string {
  return typed.normalize('NFC')
}

/** Whether a password of this size is looked at at all; longer ones are refused, never cut (SEC-PW-2). */
export function isPasswordTooLong(typed: string): boolean {
  const password = normalizePassword(typed)
  return (
    Buffer.byteLength(password) > PASSWORD_MAXIMUM_BYTES || [...password].length > PASSWORD_MAXIMUM_LENGTH
  )
}

/** Whether a password is too short to open a session by itself, as the rules stand now (SEC-PW-1). */
export function isTooShortAlone(typed: string, rules: PasswordRules): boolean {
  return [...normalizePassword(typed)].length < rules.minimumLengthAlone
}

/**
 * Says why a password may not be chosen, or gives `undefined` when it may.
 *
 * Length in code points after NFC, then the lists, then the words of the place; no rule about its composition
 * (SEC-PW-1, SEC-PW-3, SEC-PW-5, SEC-PW-6).
 */
export function passwordProblem(
  typed: string,
  about: { readonly usernames: readonly string[]; readonly opensAlone: boolean },
  rules: PasswordRules,
  lists: PasswordLists,
): PasswordProblem | undefined {
  const password = normalizePassword(typed)
  if (isPasswordTooLong(password)) return { kind: 'too-long' }
  const minimum = about.opensAlone ? rules.minimumLengthAlone : rules.minimumLength
  if ([...password].length < minimum) return { kind: 'too-short', minimum }
  const folded = normalizeUsername(password)
  if (lists.isCommon(password) || lists.isCommon(folded)) return { kind: 'common' }
  if (lists.isBreached(password)) return { kind: 'breached' }
  const words = [...about.usernames, ...rules.barredWords, 'watchword'].map(normalizeUsername)
  const core = withoutTrimmings(folded)
  const isSiteWord = words.some((word) => word === folded || (core !== '' && withoutTrimmings(word) === core))
  return isSiteWord ? { kind: 'site-word' } : undefined
}

/** What is left of a password without the digits and signs that people put around a word. */
function withoutTrimmings(folded: string): string {
  const inner = folded.replace(/^[\p{N}\p{P}\p{S}\s]+/u, '')
  return inner.replace(/[\p{N}\p{P}\p{S}\s]+$/u, '')
}

/** The sentence that says why, and what to do (SEC-PW-12). */
export function explainPassword(problem: PasswordProblem): string {
  switch (problem.kind) {
    case 'too-short':
      return `Use at least ${problem.minimum} characters; a few unrelated words in a row are easy to remember.`
    case 'too-long':
      return `Use at most ${PASSWORD_MAXIMUM_LENGTH} characters (${PASSWORD_MAXIMUM_BYTES} bytes).`
    case 'common':
      return 'This password is among the most used ones and is guessed first. Choose another.'
    case 'breached':
      return 'This password was found in a list of leaked passwords. Choose another.'
    case 'site-word':
      return 'This password is a name that belongs here with something added. Choose another.'
    case 'unchanged':
      return 'This is the password you have. Choose another.'
  }
}
