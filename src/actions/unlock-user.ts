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

/**
 * Ends the waits of a user, so that the next attempt is looked at.
 *
 * The operator forgets what was charged with it. For an administrator the count stays: by unlocking again and again one
 * could else guess another one's code without ever reaching the number that disables the device (SEC-OTP-6).
 */
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
    const keys = [codeKey(user.id), nameKey(services.sealer, user.username)]
    await ('admin' in by ? attempts.lift(tx, keys) : attempts.clear(tx, keys))
    const devices = await otpDevices.listConfirmed(tx, user.id)
    await record(services, tx, { now, by, userId: user.id }, { event: 'user-unlocked' })
    return { kind: 'unlocked', disabledDevices: devices.filter(({ disabled }) => disabled).length }
  })
}
