import { type AuthenticationMethod, isVerified } from './login.ts'
import { CLOCK_SKEW, type Seconds, type UnixSeconds } from './time.ts'
import type { User, UserId } from './user.ts'

/** The limits of a session (SEC-SES-5, SEC-SES-6). */
export interface SessionRules {
  readonly idleTimeout: Seconds
  readonly absoluteLifetime: Seconds
  /** How long after authentication dangerous actions are allowed (SEC-AUTH-10). */
  readonly freshFor: Seconds
}

/** The times that decide whether a session still holds. */
export interface SessionTimes {
  readonly authTime: UnixSeconds
  readonly lastSeenAt: UnixSeconds
  readonly expiresAt: UnixSeconds
}

/** Somebody is signed in; known by its opaque handle `id`, found by the hash of its token. */
export interface HeldSession extends SessionTimes {
  readonly id: string
  readonly userId: UserId
  readonly amr: readonly AuthenticationMethod[]
}

/** A session as its owner sees it in a list. */
export interface Session extends HeldSession {
  readonly createdAt: UnixSeconds
  readonly address: string
  readonly userAgent: string
}

export type SessionUser = Omit<User, 'mustChangePassword'>

/** A session with the user it belongs to, as they are now. */
export interface SessionWithUser {
  readonly session: HeldSession
  /** Without what only a sign-in asks for. */
  readonly user: SessionUser
  readonly groups: readonly string[]
}

/**
 * Whether a session still holds: neither idle too long nor past its end.
 *
 * A clock that went back does not lengthen it by more than hosts may be apart: one that seems to have begun later
 * than that is over (FT-CLOCK-1).
 */
export function isAlive(times: SessionTimes, rules: SessionRules, now: UnixSeconds): boolean {
  if (now >= times.expiresAt || times.expiresAt - now > rules.absoluteLifetime + CLOCK_SKEW) return false
  return Math.abs(now - times.lastSeenAt) < rules.idleTimeout
}

/** When the session will end if nothing happens from now on. */
export function expiryOf(times: SessionTimes, rules: SessionRules): UnixSeconds {
  return Math.min(times.expiresAt, times.lastSeenAt + rules.idleTimeout)
}

/** Whether activity is worth writing down: at most once a minute, sooner for short idle limits. */
export function isSeenStale(times: SessionTimes, rules: SessionRules, now: UnixSeconds): boolean {
  return Math.abs(now - times.lastSeenAt) >= Math.min(60, Math.floor(rules.idleTimeout / 10))
}

/**
 * Whether the proof behind the session is recent and strong enough for a dangerous action.
 *
 * Strong means the strongest the account has: both factors once a second one exists (SEC-AUTH-10).
 */
export function isFresh(
  session: { readonly authTime: UnixSeconds; readonly amr: readonly AuthenticationMethod[] },
  user: { readonly hasSecondFactor: boolean },
  rules: SessionRules,
  now: UnixSeconds,
): boolean {
  if (user.hasSecondFactor && !isVerified(session.amr)) return false
  const age = now - session.authTime
  return age >= -CLOCK_SKEW && age < rules.freshFor
}
