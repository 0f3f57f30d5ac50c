import type { Services } from '../services.ts'
import * as attempts from '../store/attempts.ts'
import * as otpDevices from '../store/otp-devices.ts'
import * as users from '../store/users.ts'
import { allow } from './allow.ts'
import { codeKey, nameKey } from './budgets.ts'
import { type Administrator, record } from './caller.ts'

export type UnlockUserOutcome =
  /** Devices that too many wrong codes disabled stay so: they must be bound anew (SEC-OTP-6). */
  { readonly kind: 'unlocked'; readonly disabledDevices: number } | { readonly kind: 'no-such-user' }

/** Forgets the attempts charged to a user, so that the next one is looked at without a wait. */
export async function unlockUser(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'sealer' | 'policy'>,
  who: users.UserReference,
  by: Administrator,
): Promise<UnlockUserOutcome> {
  const now = services.now()
  const user = await users.findByReference(services.db, who)
  if (user === undefined) return { kind: 'no-such-user' }
  return services.db.transaction().execute(async (tx): Promise<UnlockUserOutcome> => {
    await allow(tx, services, { by, now })
    await attempts.clear(tx, [codeKey(user.id)])
    await attempts.clear(tx, [nameKey(services.sealer, user.username)])
    const devices = await otpDevices.listConfirmed(tx, user.id)
    await record(services, tx, { now, by, userId: user.id }, { event: 'user-unlocked' })
    return { kind: 'unlocked', disabledDevices: devices.filter(({ disabled }) => disabled).length }
  })
}
