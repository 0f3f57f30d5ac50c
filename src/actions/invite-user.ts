import { INVITATION_LIFETIME } from '../domain/invitation.ts'
import type { UnixSeconds } from '../domain/time.ts'
import { hashToken } from '../domain/token.ts'
import type { UserId } from '../domain/user.ts'
import type { Services } from '../services.ts'
import type { Db } from '../store/database.ts'
import * as invitations from '../store/invitations.ts'
import * as users from '../store/users.ts'
import type { Issued } from './advance-login.ts'
import { allow } from './allow.ts'
import { type Administrator, record } from './caller.ts'

export type InviteUserOutcome =
  /** The token is shown once, as a link to hand over. */
  | { readonly kind: 'invited'; readonly username: string; readonly invitation: Issued }
  | { readonly kind: 'no-such-user' }
  /** Disabled: enable first. */
  | { readonly kind: 'disabled' }
  /** A superuser, whom no administrator invites alone. */
  | { readonly kind: 'needs-operator' }

/**
 * Makes a one-time link by which a user chooses a password: the first one, or another in place of a lost one.
 *
 * Whoever makes it never learns the password (SEC-PW-14), and the second factor stays as it is. For a superuser
 * only the operator makes one: an administrator who used it for himself would hold the other one's password, or
 * the whole account where nothing is enrolled yet, and be two administrators in one (SEC-AUTH-16).
 */
export async function inviteUser(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'newToken' | 'policy'>,
  who: users.UserReference,
  by: Administrator,
): Promise<InviteUserOutcome> {
  const now = services.now()
  const user = await users.findByReference(services.db, who)
  if (user === undefined) return { kind: 'no-such-user' }
  return services.db.transaction().execute(async (tx): Promise<InviteUserOutcome> => {
    await allow(tx, services, { by, now, notOneself: user.id })
    if (user.isSuperuser && 'admin' in by) return { kind: 'needs-operator' }
    if (!(await users.hold(tx, user.id))) return { kind: 'no-such-user' }
    const current = await users.findById(tx, user.id)
    if (current?.disabled !== false) return { kind: 'disabled' }
    const invitation = await makeInvitation(tx, services, user.id, { by, now })
    return { kind: 'invited', username: user.username, invitation }
  })
}

/** Makes the link of a user whom the transaction holds; an earlier one works no more. */
export async function makeInvitation(
  tx: Db,
  services: Pick<Services, 'newId' | 'newToken'>,
  userId: UserId,
  { by, now }: { by: Administrator; now: UnixSeconds },
): Promise<Issued> {
  const token = services.newToken()
  const lifetime = INVITATION_LIFETIME
  const invitation = { kind: 'invite', userId, tokenHash: hashToken(token) } as const
  await invitations.replace(tx, invitation, { now, expiresAt: now + lifetime })
  await record(services, tx, { now, by, userId }, { event: 'invitation-made' })
  return { token, lifetime }
}
