import type { Services } from '../services.ts'
import * as users from '../store/users.ts'
import { allow } from './allow.ts'
import { type Administrator, record } from './caller.ts'

export type EnableUserOutcome =
  | { readonly kind: 'enabled' }
  | { readonly kind: 'no-such-user' }
  | { readonly kind: 'already-so' }

/** Lets a disabled user sign in again, with password and second factor as they were. */
export async function enableUser(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'policy'>,
  who: users.UserReference,
  by: Administrator,
): Promise<EnableUserOutcome> {
  const now = services.now()
  const user = await users.findByReference(services.db, who)
  if (user === undefined) return { kind: 'no-such-user' }
  return services.db.transaction().execute(async (tx): Promise<EnableUserOutcome> => {
    await allow(tx, services, { by, now })
    if (!(await users.setDisabled(tx, user.id, null))) return { kind: 'already-so' }
    await record(services, tx, { now, by, userId: user.id }, { event: 'user-enabled' })
    return { kind: 'enabled' }
  })
}
