import { z } from 'zod'
import type { Caller } from '../../actions/caller.ts'
import { changePassword } from '../../actions/change-password.ts'
import { makeRecoveryCodes } from '../../actions/make-recovery-codes.ts'
import { replaceExpiredPassword } from '../../actions/replace-expired-password.ts'
import { explainPassword, type PasswordProblem } from '../../domain/password/policy.ts'
import type { Token } from '../../domain/token.ts'
import { recoveryCodesLeft } from '../../store/views/own-account.ts'
import { type Answer, busy, failure, notSignedIn, ok, stale, superseded, throttled } from '../answer.ts'
import type { Edge, Route } from '../endpoint.ts'
import { freshError, ownErrors } from './account-errors.ts'
import * as schemas from './schemas.ts'
import { advancedAnswer, renewedAnswer } from './sign-in-answers.ts'

/** `GET /auth/recovery-codes/` */
export const countRecoveryCodes: Route = {
  method: 'GET',
  path: '/auth/recovery-codes/',
  access: 'session',
  summary: 'How many recovery codes are left',
  description: 'The codes themselves are shown only when they are made.',
  answers: {
    200: { description: 'How many.', schema: z.strictObject({ remaining: z.int() }) },
    ...ownErrors,
  },
  async handle({ session }, { services }) {
    if (session === undefined) return notSignedIn()
    return ok({ remaining: await recoveryCodesLeft(services.db, session.user.id, services.now()) })
  },
}

/** `POST /auth/recovery-codes/` */
export const makeOwnRecoveryCodes: Route = {
  method: 'POST',
  path: '/auth/recovery-codes/',
  access: 'session',
  summary: 'Make recovery codes',
  description: 'Makes ten codes and shows them this once; the former set works no more.',
  answers: {
    200: { description: 'The codes.', schema: schemas.recoveryCodesBody },
    ...ownErrors,
    ...freshError,
  },
  async handle({ session, caller }, { services }): Promise<Answer> {
    if (session === undefined) return notSignedIn()
    const outcome = await makeRecoveryCodes(services, session, caller)
    switch (outcome.kind) {
      case 'made':
        return ok({ recovery_codes: outcome.codes })
      case 'stale':
        return stale()
      case 'busy':
        return busy()
    }
  },
}

const passwordFields = z.strictObject({
  current_password: schemas.password.optional().describe('Needed with a session, not in a login.'),
  new_password: schemas.password,
  keep_app_passwords: z
    .string()
    .max(5, 'must be true or false.')
    .regex(/^(?:true|false)$/, 'must be true or false.')
    .transform((text) => text === 'true')
    .default(false)
    .describe('`true` or `false`, as text; without it they end. In a login they always do.'),
})

/** `POST /auth/password/` */
export const changeOwnPassword: Route<typeof passwordFields> = {
  method: 'POST',
  path: '/auth/password/',
  access: 'login-or-session',
  summary: 'Change the password',
  description:
    'With a fresh session and the current password; or as the last step of a login that waits for a new password.',
  body: passwordFields,
  answers: {
    200: {
      description: 'Changed; other sessions were ended.',
      schema: z.union([schemas.renewedBody, schemas.signInBody]),
    },
    400: {
      description: 'The current password is wrong, or the new one is not suitable.',
      schema: schemas.errorBody,
    },
    409: { description: 'The account changed meanwhile.', schema: schemas.errorBody },
    429: { description: 'Too many attempts.', schema: schemas.throttledBody },
    ...ownErrors,
    ...freshError,
  },
  async handle({ fields, session, loginToken, caller }, edge): Promise<Answer> {
    const { current_password: current, new_password: next, keep_app_passwords: keepAppPasswords } = fields
    // In a login no current password is asked for: it has just been proven.
    if (loginToken !== undefined && current === undefined) {
      const answer = await replaceInLogin(edge, { loginToken, next, caller })
      if (answer !== undefined) return answer
    }
    if (session === undefined) return notSignedIn()
    if (current === undefined) return failure(400, 'invalid_request', 'current_password: is needed, as text.')
    const outcome = await changePassword(edge.services, session, { current, next, keepAppPasswords, caller })
    switch (outcome.kind) {
      case 'changed':
        return renewedAnswer(edge, outcome, 'Password changed. Your other sessions were ended.')
      case 'wrong-password':
        return failure(400, 'wrong_password', 'The current password is not right.')
      case 'unsuitable':
        return unsuitablePassword(outcome.problem)
      case 'stale':
        return stale()
      case 'throttled':
        return throttled(outcome.wait)
      case 'busy':
        return busy()
      case 'superseded':
        return superseded()
    }
  },
}

/** The last step of a login that waits for a new password; `undefined` when none does. */
async function replaceInLogin(
  edge: Edge,
  { loginToken, next, caller }: { loginToken: Token; next: string; caller: Caller },
): Promise<Answer | undefined> {
  const outcome = await replaceExpiredPassword(edge.services, { loginToken, next }, caller)
  switch (outcome.kind) {
    case 'signed-in':
    case 'continue':
      return advancedAnswer(edge, outcome, 'Password changed')
    case 'not-awaited':
      return undefined
    case 'unsuitable':
      return unsuitablePassword(outcome.problem)
    case 'busy':
      return busy()
  }
}

/** Why a password may not be chosen, under a code of its own for each reason. */
export const unsuitablePassword = (problem: PasswordProblem): Answer =>
  failure(400, `password_${problem.kind.replace('-', '_')}`, explainPassword(problem))
