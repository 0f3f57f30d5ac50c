import { isVerified } from '../domain/login.ts'
import { canonicalCode } from '../domain/otp/code.ts'
import type { SessionWithUser } from '../domain/session.ts'
import type { Seconds } from '../domain/time.ts'
import type { Services } from '../services.ts'
import type { Db } from '../store/database.ts'
import * as logins from '../store/logins.ts'
import * as otpDevices from '../store/otp-devices.ts'
import * as users from '../store/users.ts'
import { codeBudget } from './budgets.ts'
import { type Caller, record } from './caller.ts'
import { matchCode } from './match-code.ts'
import { type Renewed, renewSession } from './renew-session.ts'
import { refundAttempt, settleAttempt, spendAttempt } from './spend-attempt.ts'

export type ConfirmEnrolmentOutcome =
  | (Renewed & { readonly kind: 'confirmed' })
  | { readonly kind: 'wrong-code' }
  | { readonly kind: 'throttled'; readonly wait: Seconds }
  | { readonly kind: 'not-awaited' }

/** Binds another authenticator to the user of a session, by its first code; the user's other sessions end. */
export async function confirmEnrolment(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'newToken' | 'sealer' | 'policy'>,
  held: SessionWithUser,
  { code: text, caller }: { readonly code: string; readonly caller: Caller },
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
      const spent = await spendAttempt(tx, [budget], now)
      if (spent.kind === 'throttled') return spent
      const pending = await otpDevices.findPending(tx, user.id, now)
      if (pending === undefined) {
        await refundAttempt(tx, [budget])
        return { kind: 'not-awaited' }
      }
      const code = canonicalCode(text)
      const match = code === undefined ? undefined : matchCode(services, [pending], code, now)
      if (
        match?.kind !== 'totp' ||
        !(await otpDevices.claimConfirmation(tx, pending.id, { ...match, now }))
      ) {
        const reason = code === undefined ? 'malformed' : 'wrong-code'
        await record(services, tx, context, { event: 'code-refused', reason })
        for (const begun of spent.begun) await record(services, tx, context, { event: 'throttled', ...begun })
        return { kind: 'wrong-code' }
      }
      if (!(await bind(tx, held))) {
        // The user changed since the session was read: undo the confirmation as well.
        throw new EnrolmentSuperseded()
      }
      await settleAttempt(tx, [budget])
      await record(services, tx, context, {
        event: 'device-confirmed',
        deviceId: pending.id,
        name: pending.name,
      })
      const amr = session.amr.includes('otp') ? session.amr : [...session.amr, 'otp' as const]
      return { kind: 'confirmed', ...(await renewSession(tx, services, held, { amr, caller, now })) }
    })
    .catch((error: unknown) => {
      if (error instanceof EnrolmentSuperseded) return { kind: 'not-awaited' as const }
      throw error
    })
}

/** Undoes the transaction: a factor or the password changed while the code was on its way. */
class EnrolmentSuperseded extends Error {}

async function bind(tx: Db, { user }: SessionWithUser): Promise<boolean> {
  if (!(await users.claimEpoch(tx, user.id, user.epoch))) return false
  await users.setSecondFactor(tx, user.id, true)
  await logins.removeAll(tx, user.id)
  return true
}
