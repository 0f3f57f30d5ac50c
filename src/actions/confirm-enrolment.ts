import { isVerified } from '../domain/login.ts'
import { canonicalCode } from '../domain/otp/code.ts'
import type { SessionWithUser } from '../domain/session.ts'
import type { Seconds, UnixSeconds } from '../domain/time.ts'
import type { Services } from '../services.ts'
import * as appPasswords from '../store/app-passwords.ts'
import type { Db } from '../store/database.ts'
import * as logins from '../store/logins.ts'
import * as otpDevices from '../store/otp-devices.ts'
import * as users from '../store/users.ts'
import { codeBudget } from './budgets.ts'
import { type Caller, record } from './caller.ts'
import { matchCode } from './match-code.ts'
import { type Renewed, renewSession } from './renew-session.ts'
import { chargeAttempt, dropAttempt, forgetAttempts, weighAttempt } from './spend-attempt.ts'
import { Superseded, supersededOnly } from './superseded.ts'

export type ConfirmEnrolmentOutcome =
  | (Renewed & { readonly kind: 'confirmed' })
  | { readonly kind: 'wrong-code' }
  | { readonly kind: 'throttled'; readonly wait: Seconds }
  /** Nothing waits for a code. */
  | { readonly kind: 'not-awaited' }
  /** The account changed while this was under way. */
  | { readonly kind: 'superseded' }

type Needed = Pick<Services, 'db' | 'now' | 'newId' | 'newToken' | 'sealer' | 'policy'>

/** Binds another authenticator to the user of a session, by its first code; the user's other sessions end. */
export async function confirmEnrolment(
  services: Needed,
  held: SessionWithUser,
  { code, caller }: { readonly code: string; readonly caller: Caller },
): Promise<ConfirmEnrolmentOutcome> {
  const now = services.now()
  const { user, session } = held
  // A session that another factor would have to strengthen may not add one (SEC-AUTH-11).
  if (user.hasSecondFactor && !isVerified(session.amr)) return { kind: 'not-awaited' }
  const budget = codeBudget(services, user.id)
  const context = { now, by: caller, userId: user.id }
  return services.db
    .transaction()
    .execute(async (tx): Promise<ConfirmEnrolmentOutcome> => {
      const weighed = await weighAttempt(tx, [budget], now)
      if (weighed.kind === 'throttled') return weighed
      const pending = await otpDevices.findPending(tx, user.id, now)
      if (pending === undefined) {
        await dropAttempt(tx, weighed)
        return { kind: 'not-awaited' }
      }
      if (!(await confirm(tx, services, { pending, code, now }))) {
        await chargeAttempt(tx, weighed)
        await record(services, tx, context, { event: 'code-refused', reason: 'wrong-code' })
        for (const begun of weighed.begun)
          await record(services, tx, context, { event: 'throttled', ...begun })
        return { kind: 'wrong-code' }
      }
      await forgetAttempts(tx, weighed)
      return { kind: 'confirmed', ...(await bind(tx, services, held, { pending, caller, now })) }
    })
    .catch(supersededOnly)
}

async function confirm(
  tx: Db,
  services: Needed,
  { pending, code: text, now }: { pending: otpDevices.OtpDevice; code: string; now: UnixSeconds },
): Promise<boolean> {
  const code = canonicalCode(text)
  const match = code === undefined ? undefined : matchCode(services, [pending], code, now)
  return match?.kind === 'totp' && otpDevices.claimConfirmation(tx, pending.id, { ...match, now })
}

async function bind(
  tx: Db,
  services: Needed,
  held: SessionWithUser,
  { pending, caller, now }: { pending: otpDevices.OtpDevice; caller: Caller; now: UnixSeconds },
): Promise<Renewed> {
  const { user, session } = held
  if (!(await users.claimEpoch(tx, user.id, user.epoch))) throw new Superseded()
  await users.setSecondFactor(tx, user.id, true)
  await logins.removeAll(tx, user.id)
  // What the password alone could make before would let in whoever knew it.
  if (!user.hasSecondFactor) await appPasswords.removeAll(tx, user.id)
  const event = { event: 'device-confirmed', deviceId: pending.id, name: pending.name } as const
  await record(services, tx, { now, by: caller, userId: user.id }, event)
  const amr = session.amr.includes('otp') ? session.amr : [...session.amr, 'otp' as const]
  return renewSession(tx, services, held, { amr, caller, now })
}
