import type { UserId } from '../domain/user.ts'
import type { Services } from '../services.ts'
import type { Issued } from './advance-login.ts'
import { type AdminRefusal, allow, byAdmin } from './allow.ts'
import type { Admin } from './caller.ts'
import { type InsertUserOutcome, insertUser, suitableNames, type UnsuitableUser } from './create-user.ts'
import { makeInvitation } from './invite-user.ts'

export type InviteNewUserOutcome =
  /** The token is shown once, as a link to hand over. */
  | { readonly kind: 'invited'; readonly id: UserId; readonly invitation: Issued }
  | Exclude<InsertUserOutcome, { kind: 'created' }>
  | UnsuitableUser
  | AdminRefusal

/**
 * Makes a user by the word of an administrator, with a link to choose a password by and never with one (SEC-PW-14).
 *
 * Superusers are made at the command line alone: whoever makes one could be two administrators (SEC-AZ-7).
 */
export async function inviteNewUser(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'newToken' | 'policy'>,
  user: { readonly username: string; readonly displayName: string; readonly groups: readonly string[] },
  by: Admin,
): Promise<InviteNewUserOutcome> {
  const now = services.now()
  const names = suitableNames(user)
  if (names.kind !== 'suitable') return names
  return byAdmin(
    services.db.transaction().execute(async (tx): Promise<InviteNewUserOutcome> => {
      await allow(tx, services, { by, now })
      const { username, groups } = user
      const { displayName } = names
      const made = { username, displayName, groups, isSuperuser: false }
      const inserted = await insertUser(tx, services, made, { by, now })
      if (inserted.kind !== 'created') return inserted
      const invitation = await makeInvitation(tx, services, inserted.id, { by, now })
      return { kind: 'invited', id: inserted.id, invitation }
    }),
  )
}
