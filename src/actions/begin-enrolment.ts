import { nextStep } from '../domain/login.ts'
import type { SessionWithUser } from '../domain/session.ts'
import { isFresh } from '../domain/session.ts'
import type { Seconds, UnixSeconds } from '../domain/time.ts'
import { hashToken, type Token } from '../domain/token.ts'
import type { User } from '../domain/user.ts'
import type { Services } from '../services.ts'
import type { Db } from '../store/database.ts'
import * as logins from '../store/logins.ts'
import * as otpDevices from '../store/otp-devices.ts'
import { standingOf } from './advance-login.ts'
import { type Caller, record } from './caller.ts'
import { enrolmentUri } from './enrolment-uri.ts'
import { holdFactors } from './hold-factors.ts'

/** Bytes of a new key: 160 bits, as RFC 4226 §4 recommends (SEC-OTP-1). */
const KEY_BYTES = 20

export type BeginEnrolmentOutcome =
  | {
      readonly kind: 'begun'
      /** Shown to whoever began the enrolment until it is confirmed, and never again (SEC-OTP-9). */
      readonly key: Uint8Array
      readonly uri: string
      readonly lifetime: Seconds
    }
  /** Nobody is logged in, or the login waits for something else. */
  | { readonly kind: 'not-awaited' }
  /** The session's proof is too old, or weaker than the account's strongest (SEC-AUTH-10, SEC-AUTH-11). */
  | { readonly kind: 'stale' }
  | { readonly kind: 'too-many'; readonly maximum: number }

type Needed = Pick<Services, 'db' | 'now' | 'newId' | 'entropy' | 'sealer' | 'policy'>

/** Begins to bind an authenticator: from a login that waits for it, or from a fresh session. */
export async function beginEnrolment(
  services: Needed,
  from: { readonly session: SessionWithUser } | { readonly loginToken: Token },
  { name, caller }: { readonly name: string; readonly caller: Caller },
): Promise<BeginEnrolmentOutcome> {
  const now = services.now()
  if ('session' in from) {
    const { session, user } = from.session
    if (!isFresh(session, user, services.policy.session, now)) return { kind: 'stale' }
    return services.db.transaction().execute(async (tx) => {
      const current = await holdFactors(tx, user.id)
      if (current === undefined || current.disabled || current.epoch !== user.epoch)
        return { kind: 'stale' as const }
      return begin(tx, services, user, { name, caller, now, begunBy: session.id })
    })
  }
  const login = await logins.findByToken(services.db, hashToken(from.loginToken), now)
  if (login === undefined) return { kind: 'not-awaited' }
  return services.db.transaction().execute(async (tx) => {
    const user = await holdFactors(tx, login.userId)
    if (user === undefined || user.disabled || user.epoch !== login.epoch)
      return { kind: 'not-awaited' as const }
    const devices = await otpDevices.listConfirmed(tx, user.id)
    const step = nextStep(login.amr, standingOf(user, devices), services.policy.enrolment)
    if (step !== 'enrol-totp') return { kind: 'not-awaited' as const }
    const begun = await begin(tx, services, user, { name, caller, now, begunBy: login.tokenHash })
    // The login that waits for the code may end before the enrolment does.
    return begun.kind === 'begun'
      ? { ...begun, lifetime: Math.min(begun.lifetime, login.expiresAt - now) }
      : begun
  })
}

async function begin(
  tx: Db,
  services: Needed,
  user: Pick<User, 'id' | 'username'>,
  { name, caller, now, begunBy }: { name: string; caller: Caller; now: UnixSeconds; begunBy: string },
): Promise<BeginEnrolmentOutcome> {
  const { policy } = services
  const devices = await otpDevices.listConfirmed(tx, user.id)
  if (devices.filter(({ disabled }) => !disabled).length >= policy.maximumDevices) {
    return { kind: 'too-many', maximum: policy.maximumDevices }
  }
  const id = services.newId()
  const key = services.entropy(KEY_BYTES)
  const device: otpDevices.NewPendingDevice = {
    id,
    userId: user.id,
    kind: 'totp',
    name,
    sealedKey: services.sealer.seal(key, { purpose: 'otp-key', userId: user.id, deviceId: id }),
    // The only parameters that every authenticator app honours.
    algorithm: 'sha1',
    digits: 6,
    period: 30,
    t0: 0,
    drift: 0,
    lastUsedStep: -1,
    counter: 0,
    createdAt: now,
    begunBy,
  }
  const lifetime = policy.enrolmentLifetime
  if (!(await otpDevices.putPending(tx, device, now + lifetime))) return { kind: 'not-awaited' }
  await record(services, tx, { now, by: caller, userId: user.id }, { event: 'enrolment-begun', deviceId: id })
  return { kind: 'begun', key, uri: enrolmentUri(policy, user, { ...device, key }), lifetime }
}
