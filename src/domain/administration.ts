import { isVerified } from './login.ts'
import { type HeldSession, isFresh, type SessionRules, type SessionUser } from './session.ts'
import { CLOCK_SKEW, type Seconds, type UnixSeconds } from './time.ts'
import type { UserId } from './user.ts'

/** Administration closes when nothing was done in it for so long (SEC-AZ-6). */
export const ADMIN_IDLE: Seconds = 15 * 60

/** How long a request to reset another superuser's factor waits for a second administrator. */
export const RESET_REQUEST_LIFETIME: Seconds = 24 * 3600

/** Who is signed in, as far as it decides on administration. */
export interface AdminSession {
  readonly session: Pick<HeldSession, 'amr' | 'authTime'>
  readonly user: Pick<SessionUser, 'isSuperuser' | 'disabled' | 'hasSecondFactor'>
}

/** Whether somebody may administer at all: a superuser who proved two factors (SEC-AZ-6). */
export function isAdmin({ session, user }: AdminSession): boolean {
  return user.isSuperuser && !user.disabled && isVerified(session.amr)
}

/** Whether administration may be looked at: after a fresh proof, and from then on until it idles. */
export function isAdminOpen(
  held: AdminSession,
  adminSeenAt: UnixSeconds,
  rules: SessionRules,
  now: UnixSeconds,
): boolean {
  return isAdmin(held) && (isFresh(held.session, held.user, rules, now) || isRecent(adminSeenAt, now))
}

/** A clock that was set back keeps nothing open for longer (FT-CLOCK-1). */
function isRecent(at: UnixSeconds, now: UnixSeconds): boolean {
  const age = now - at
  return age >= -CLOCK_SKEW && age < ADMIN_IDLE
}

/** Whether a use of administration is worth writing down: at most once a minute. */
export function isAdminSeenStale(adminSeenAt: UnixSeconds, now: UnixSeconds): boolean {
  return Math.abs(now - adminSeenAt) >= 60
}

/** Whether an administrator may change something now: only with a fresh proof (SEC-AUTH-10). */
export function mayAdminister(held: AdminSession, rules: SessionRules, now: UnixSeconds): boolean {
  return isAdmin(held) && isFresh(held.session, held.user, rules, now)
}

/** What a reset of a second factor by an administrator comes to. */
export type ResetDecision = 'reset' | 'request' | 'needs-another-admin'

/**
 * Whether an administrator resets a factor alone, asks for it, or carries out what another one asked for.
 *
 * No superuser loses a factor by the word of one other alone (SEC-AUTH-16). What somebody asked for who may
 * administer no more is as good as not asked.
 */
export function decideReset(
  target: { readonly isSuperuser: boolean },
  admin: UserId,
  request: { readonly requestedBy: UserId; readonly requesterMayAdminister: boolean } | undefined,
): ResetDecision {
  if (!target.isSuperuser) return 'reset'
  if (request === undefined || !request.requesterMayAdminister) return 'request'
  return request.requestedBy === admin ? 'needs-another-admin' : 'reset'
}
