import type { Services } from '../services.ts'
import * as attempts from '../store/attempts.ts'
import * as otpDevices from '../store/otp-devices.ts'
import * as recoveryCodes from '../store/recovery-codes.ts'
import * as users from '../store/users.ts'
import { allow } from './allow.ts'
import { codeKey, nameKey } from './budgets.ts'
import { type Administrator, record } from './caller.ts'
import { holdFactors } from './hold-factors.ts'

export type DeleteUserOutcome = { readonly kind: 'deleted' } | { readonly kind: 'no-such-user' }

/** Deletes a user for good; the audit log keeps the identifier, which nobody gets again. */
export async function deleteUser(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'sealer' | 'policy'>,
  who: users.UserReference,
  by: Administrator,
): Promise<DeleteUserOutcome> {
  const now = services.now()
  const user = await users.findByReference(services.db, who)
  if (user === undefined) return { kind: 'no-such-user' }
  return services.db.transaction().execute(async (tx): Promise<DeleteUserOutcome> => {
    await allow(tx, services, { by, now, notOneself: user.id })
    const name = nameKey(services.sealer, user.username)
    await holdFactors(tx, user.id)
    await attempts.hold(tx, [name])
    await attempts.clear(tx, [codeKey(user.id), name])
    await otpDevices.removeAll(tx, user.id)
    await recoveryCodes.removeAll(tx, user.id)
    // Everything else of the user goes with the row.
    if (!(await users.remove(tx, user.id))) return { kind: 'no-such-user' }
    await record(services, tx, { now, by, userId: user.id }, { event: 'user-deleted' })
    return { kind: 'deleted' }
  })
}
