import type { Services } from '../services.ts'
import * as invitations from '../store/invitations.ts'
import * as users from '../store/users.ts'
import { allow } from './allow.ts'
import { type Administrator, record } from './caller.ts'
import { endEverything } from './end-everything.ts'

export type DisableUserOutcome =
  | { readonly kind: 'disabled' }
  | { readonly kind: 'no-such-user' }
  | { readonly kind: 'already-so' }

/** Disables a user: nothing of theirs works from the next request on (SEC-AUTH-19). */
export async function disableUser(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'policy'>,
  who: users.UserReference,
  by: Administrator,
): Promise<DisableUserOutcome> {
  const now = services.now()
  const user = await users.findByReference(services.db, who)
  if (user === undefined) return { kind: 'no-such-user' }
  return services.db.transaction().execute(async (tx): Promise<DisableUserOutcome> => {
    await allow(tx, services, { by, now, notOneself: user.id })
    if (!(await users.setDisabled(tx, user.id, now))) return { kind: 'already-so' }
    await invitations.removeOf(tx, user.id)
    await endEverything(tx, user.id, now)
    await record(services, tx, { now, by, userId: user.id }, { event: 'user-disabled' })
    return { kind: 'disabled' }
  })
}
