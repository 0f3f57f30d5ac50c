import type { UserId } from './user.ts'

/** How somebody proved who they are (RFC 8176); `recovery` is ours, for a recovery code. */
export type AuthenticationMethod = 'pwd' | 'otp' | 'recovery'

/** A sign-in under way: a password was right, nothing is open yet (SEC-AUTH-2). */
export interface Login {
  readonly userId: UserId
  readonly amr: readonly AuthenticationMethod[]
  /** The user's epoch when the password was checked; a later change ends the login. */
  readonly epoch: number
}

/** What a login waits for next. */
export type LoginStep = 'totp' | 'enrol-totp' | 'new-password' | 'done'

/** What the state machine must know of the user, read at the moment of asking. */
export interface LoginStanding {
  readonly hasSecondFactor: boolean
  /** Whether a device is there whose codes can be checked; false after a reset or when all were disabled. */
  readonly hasUsableDevice: boolean
  readonly isSuperuser: boolean
  readonly mustChangePassword: boolean
}

/** Whether everybody must have a second factor, or may have one. */
export type EnrolmentPolicy = 'required' | 'optional'

/** Whether a code is demanded of this user whatever they have done so far; of a superuser always (SEC-AUTH-3). */
export function secondFactorDemanded(
  user: { readonly isSuperuser: boolean },
  policy: EnrolmentPolicy,
): boolean {
  return user.isSuperuser || policy === 'required'
}

/** Whether the methods amount to two factors. */
export function isVerified(amr: readonly AuthenticationMethod[]): boolean {
  return amr.includes('pwd') && (amr.includes('otp') || amr.includes('recovery'))
}

/**
 * The one place that decides what a login waits for.
 *
 * A user who ever proved a second factor is asked for one even when no device is usable any more: a recovery
 * code opens the way to a new device, the password alone does not.
 */
export function nextStep(
  amr: readonly AuthenticationMethod[],
  standing: LoginStanding,
  policy: EnrolmentPolicy,
): LoginStep {
  // A device that is there counts even if the user was read before it was bound.
  if ((standing.hasSecondFactor || standing.hasUsableDevice) && !isVerified(amr)) return 'totp'
  if (!standing.hasUsableDevice && secondFactorDemanded(standing, policy)) return 'enrol-totp'
  if (standing.mustChangePassword) return 'new-password'
  return 'done'
}
