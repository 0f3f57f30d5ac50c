import { type LoginStep, nextStep } from '../domain/login.ts'
import { hashToken, type Token } from '../domain/token.ts'
import type { User } from '../domain/user.ts'
import type { Services } from '../services.ts'
import * as logins from '../store/logins.ts'
import * as otpDevices from '../store/otp-devices.ts'
import * as users from '../store/users.ts'
import { standingOf } from './advance-login.ts'

/** A login under way, and what it waits for at this moment. */
export interface WaitingLogin {
  readonly user: User
  readonly step: Exclude<LoginStep, 'done'>
}

/** What the login of a token waits for; `undefined` when it is over, or what it stood on changed. Writes nothing. */
export async function lookUpLogin(
  { db, now, policy }: Pick<Services, 'db' | 'now' | 'policy'>,
  token: Token,
): Promise<WaitingLogin | undefined> {
  const login = await logins.findByToken(db, hashToken(token), now())
  const user = login && (await users.findById(db, login.userId))
  if (login === undefined || user === undefined || user.disabled || user.epoch !== login.epoch)
    return undefined
  const devices = await otpDevices.listConfirmed(db, user.id)
  const step = nextStep(login.amr, standingOf(user, devices), policy.enrolment)
  // A login that waits for nothing more is finished by whoever begins anew.
  return step === 'done' ? undefined : { user, step }
}
