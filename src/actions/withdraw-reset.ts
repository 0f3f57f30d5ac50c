import type { UserId } from '../domain/user.ts'
import type { Services } from '../services.ts'
import * as resetRequests from '../store/reset-requests.ts'
import { type AdminRefusal, allow, byAdmin } from './allow.ts'
import { type Admin, record } from './caller.ts'
import { holdFactors } from './hold-factors.ts'

export type WithdrawResetOutcome =
  | { readonly kind: 'withdrawn' }
  /** Nobody asked for a reset, or it was carried out. */
  | { readonly kind: 'none' }
  | AdminRefusal

/** Withdraws what an administrator asked for; any administrator may, whom it is about too. */
export async function withdrawReset(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'policy'>,
  userId: UserId,
  by: Admin,
): Promise<WithdrawResetOutcome> {
  const now = services.now()
  return byAdmin(
    services.db.transaction().execute(async (tx): Promise<WithdrawResetOutcome> => {
      await allow(tx, services, { by, now })
      // A reset that is being carried out comes before or after this, never beside it.
      if ((await holdFactors(tx, userId)) === undefined) return { kind: 'none' }
      if (!(await resetRequests.take(tx, userId))) return { kind: 'none' }
      await record(services, tx, { now, by, userId }, { event: 'reset-withdrawn' })
      return { kind: 'withdrawn' }
    }),
  )
}
