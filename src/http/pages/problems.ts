import type { PasswordProblem } from '../../domain/password/policy.ts'
import type { UsernameProblem } from '../../domain/user.ts'
import type { Texts } from '../texts/index.ts'

/** Why a password may not be chosen, and what to do (SEC-PW-12). */
export function passwordSentence(
  { login: { passwordProblems: all } }: Texts,
  problem: PasswordProblem,
): string {
  switch (problem.kind) {
    case 'too-short':
      return all.tooShort(problem.minimum)
    case 'too-long':
      return all.tooLong
    case 'common':
      return all.common
    case 'breached':
      return all.breached
    case 'site-word':
      return all.siteWord
    case 'unchanged':
      return all.unchanged
  }
}

/** Why a text may not become a username, and what to do. */
export function usernameSentence(
  { login: { usernameProblems: all } }: Texts,
  problem: UsernameProblem,
): string {
  switch (problem) {
    case 'empty':
      return all.empty
    case 'too-long':
      return all.tooLong
    case 'forbidden-character':
      return all.forbiddenCharacter
    case 'mixed-scripts':
      return all.mixedScripts
    case 'surrounding-space':
      return all.surroundingSpace
    case 'trailing-dot':
      return all.trailingDot
  }
}
