import { nextStep } from '../domain/login.ts'
import type { PasswordProblem } from '../domain/password/policy.ts'
import { hashToken, type Token } from '../domain/token.ts'
import type { Services } from '../services.ts'
import * as logins from '../store/logins.ts'
import * as otpDevices from '../store/otp-devices.ts'
import * as sessions from '../store/sessions.ts'
import * as users from '../store/users.ts'
import { type Advanced, advanceLogin, standingOf } from './advance-login.ts'
import { type Caller, record } from './caller.ts'
import { problemOf, replacePassword } from './change-password.ts'
import { supersededOnly } from './superseded.ts'

export type ReplaceExpiredPasswordOutcome =
  | Advanced
  | { readonly kind: 'unsuitable'; readonly problem: PasswordProblem }
  | { readonly kind: 'busy' }

/**
 * The last step of a login whose password must be replaced (SEC-PW-8): reached only after every factor was proven.
 */
export async function replaceExpiredPassword(
  services: Pick<
    Services,
    'db' | 'now' | 'newId' | 'newToken' | 'hasher' | 'sealer' | 'policy' | 'passwordLists'
  >,
  input: { readonly loginToken: Token; readonly next: string },
  caller: Caller,
): Promise<ReplaceExpiredPasswordOutcome> {
  const { db, policy } = services
  const now = services.now()
  const login = await logins.findByToken(db, hashToken(input.loginToken), now)
  const user = login && (await users.findById(db, login.userId))
  if (login === undefined || user === undefined || user.disabled || user.epoch !== login.epoch) {
    return { kind: 'not-awaited' }
  }
  const devices = await otpDevices.listConfirmed(db, user.id)
  if (nextStep(login.amr, standingOf(user, devices), policy.enrolment) !== 'new-password') {
    return { kind: 'not-awaited' }
  }
  const problem = problemOf(services, user, input.next)
  if (problem !== undefined) return { kind: 'unsuitable', problem }
  using turn = services.hasher.enter()
  if (turn === undefined) return { kind: 'busy' }
  if (await turn.verify(user.passwordHash, input.next))
    return { kind: 'unsuitable', problem: { kind: 'unchanged' } }
  const hash = await turn.hash(input.next)

  const replacing = db.transaction().execute(async (tx): Promise<ReplaceExpiredPasswordOutcome> => {
    const change = { hash, login: login.tokenHash, caller, now }
    if (!(await replacePassword(tx, user, change))) return { kind: 'not-awaited' }
    await sessions.removeAll(tx, user.id)
    await record(
      services,
      tx,
      { now, by: caller, userId: user.id },
      { event: 'password-changed', reason: 'forced' },
    )
    const { userId, amr, epoch } = login
    const changed = { ...user, mustChangePassword: false, epoch: epoch + 1 }
    return advanceLogin(
      tx,
      services,
      { userId, amr, epoch: epoch + 1 },
      { user: changed, devices, caller, now },
    )
  })
  return replacing.catch((error: unknown) => {
    supersededOnly(error)
    return { kind: 'not-awaited' }
  })
}
