import { nextStep } from '../domain/login.ts'
import { isFresh, type SessionWithUser } from '../domain/session.ts'
import type { Seconds, UnixSeconds } from '../domain/time.ts'
import { hashToken, type Token } from '../domain/token.ts'
import type { User } from '../domain/user.ts'
import type { Services } from '../services.ts'
import * as logins from '../store/logins.ts'
import * as otpDevices from '../store/otp-devices.ts'
import * as users from '../store/users.ts'
import { standingOf } from './advance-login.ts'
import { enrolmentUri } from './enrolment-uri.ts'

export type ShowEnrolmentOutcome =
  | {
      readonly kind: 'pending'
      readonly name: string
      readonly key: Uint8Array
      readonly uri: string
      /** Seconds within which the first code must come. */
      readonly lifetime: Seconds
    }
  /** Nothing is pending that this login or session began. */
  | { readonly kind: 'none' }
  /** Nobody is logged in, or the login waits for something else. */
  | { readonly kind: 'not-awaited' }
  /** The session's proof is too old, or weaker than the account's strongest (SEC-AUTH-10). */
  | { readonly kind: 'stale' }

type Needed = Pick<Services, 'db' | 'now' | 'sealer' | 'policy'>

/**
 * Shows a pending enrolment again, so that a mistyped code keeps its QR code.
 *
 * Only to the very login or session that began it: another holder of the password would read the key that somebody
 * else is about to confirm. Once it is confirmed nothing shows its key to anybody (SEC-OTP-9).
 */
export async function showEnrolment(
  services: Needed,
  from: { readonly session: SessionWithUser } | { readonly loginToken: Token },
): Promise<ShowEnrolmentOutcome> {
  const { db, policy } = services
  const now = services.now()
  if ('session' in from) {
    const { session, user } = from.session
    if (!isFresh(session, user, policy.session, now)) return { kind: 'stale' }
    return show(services, user, { begunBy: session.id, until: Number.POSITIVE_INFINITY, now })
  }
  const login = await logins.findByToken(db, hashToken(from.loginToken), now)
  const user = login && (await users.findById(db, login.userId))
  if (login === undefined || user === undefined || user.disabled || user.epoch !== login.epoch) {
    return { kind: 'not-awaited' }
  }
  const devices = await otpDevices.listConfirmed(db, user.id)
  const step = nextStep(login.amr, standingOf(user, devices), policy.enrolment)
  if (step !== 'enrol-totp') return { kind: 'not-awaited' }
  return show(services, user, { begunBy: login.tokenHash, until: login.expiresAt, now })
}

async function show(
  { db, sealer, policy }: Needed,
  user: Pick<User, 'id' | 'username'>,
  { begunBy, until, now }: { begunBy: string; until: UnixSeconds; now: UnixSeconds },
): Promise<ShowEnrolmentOutcome> {
  const device = await otpDevices.findPending(db, user.id, now)
  if (device === undefined || device.begunBy !== begunBy) return { kind: 'none' }
  const key = sealer.open(device.sealedKey, { purpose: 'otp-key', userId: user.id, deviceId: device.id })
  return {
    kind: 'pending',
    name: device.name,
    key,
    uri: enrolmentUri(policy, user, { ...device, key }),
    lifetime: Math.min(device.expiresAt, until) - now,
  }
}
