import type { Services } from '../services.ts'
import * as users from '../store/users.ts'
import { type Operator, record } from './caller.ts'
import { endEverything } from './end-everything.ts'

export type DisableUserOutcome =
  | { readonly kind: 'disabled' }
  | { readonly kind: 'no-such-user' }
  | { readonly kind: 'already-so' }

/** Disables a user: nothing of theirs works from the next request on (SEC-AUTH-19). */
export async function disableUser(
  services: Pick<Services, 'db' | 'now' | 'newId'>,
  username: string,
  by: Operator,
): Promise<DisableUserOutcome> {
  const now = services.now()
  const user = await users.findByUsername(services.db, username)
  if (user === undefined) return { kind: 'no-such-user' }
  return services.db.transaction().execute(async (tx): Promise<DisableUserOutcome> => {
    if (!(await users.setDisabled(tx, user.id, now))) return { kind: 'already-so' }
    await endEverything(tx, user.id)
    await record(services, tx, { now, by, userId: user.id }, { event: 'user-disabled' })
    return { kind: 'disabled' }
  })
}
