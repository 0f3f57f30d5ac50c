import type { SessionWithUser } from '../domain/session.ts'
import type { UnixSeconds } from '../domain/time.ts'
import type { UserId } from '../domain/user.ts'
import type { Services } from '../services.ts'
import * as appPasswords from '../store/app-passwords.ts'
import type { Db } from '../store/database.ts'
import * as users from '../store/users.ts'
import { allow } from './allow.ts'
import { type Administrator, type Caller, record } from './caller.ts'

export type RevokeAppPasswordOutcome = { readonly kind: 'revoked' } | { readonly kind: 'not-found' }

type Needed = Pick<Services, 'db' | 'now' | 'newId' | 'policy'>

/** Revokes one of one's own app passwords. It needs no fresh proof: it only closes, and somebody may be in a hurry. */
export async function revokeAppPassword(
  services: Needed,
  { user }: SessionWithUser,
  { id, caller }: { readonly id: string; readonly caller: Caller },
): Promise<RevokeAppPasswordOutcome> {
  const now = services.now()
  return services.db
    .transaction()
    .execute((tx) => revoke(tx, services, { userId: user.id, id, by: caller, now }))
}

/** Revokes an app password of anybody, by the word of the operator or, inside of `byAdmin`, of an administrator. */
export async function revokeAppPasswordOf(
  services: Needed,
  id: string,
  by: Administrator,
): Promise<RevokeAppPasswordOutcome> {
  const now = services.now()
  return services.db.transaction().execute(async (tx): Promise<RevokeAppPasswordOutcome> => {
    await allow(tx, services, { by, now })
    const userId = await appPasswords.findOwner(tx, id)
    return userId === undefined ? { kind: 'not-found' } : revoke(tx, services, { userId, id, by, now })
  })
}

async function revoke(
  tx: Db,
  services: Needed,
  { userId, id, by, now }: { userId: UserId; id: string; by: Caller | Administrator; now: UnixSeconds },
): Promise<RevokeAppPasswordOutcome> {
  if (!(await users.hold(tx, userId))) return { kind: 'not-found' }
  const name = await appPasswords.remove(tx, userId, id)
  if (name === undefined) return { kind: 'not-found' }
  await record(services, tx, { now, by, userId }, { event: 'app-password-revoked', appPasswordId: id, name })
  return { kind: 'revoked' }
}
