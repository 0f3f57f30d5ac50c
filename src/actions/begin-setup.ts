import { SETUP_LIFETIME } from '../domain/invitation.ts'
import { hashToken } from '../domain/token.ts'
import type { Services } from '../services.ts'
import * as auditLog from '../store/audit-log.ts'
import * as invitations from '../store/invitations.ts'
import * as users from '../store/users.ts'
import type { Issued } from './advance-login.ts'

export type BeginSetupOutcome =
  /** The token is printed once, as a link. */
  | { readonly kind: 'begun'; readonly setup: Issued }
  /** There are users; nothing is to be set up. */
  | { readonly kind: 'not-needed' }

/** Makes the one-time token that makes the first superuser, while there is no user; an earlier one works no more. */
export async function beginSetup(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'newToken'>,
): Promise<BeginSetupOutcome> {
  const now = services.now()
  return services.db.transaction().execute(async (tx): Promise<BeginSetupOutcome> => {
    if (await users.exist(tx)) return { kind: 'not-needed' }
    const token = services.newToken()
    const lifetime = SETUP_LIFETIME
    const invitation = { kind: 'setup', tokenHash: hashToken(token) } as const
    await invitations.replace(tx, invitation, { now, expiresAt: now + lifetime })
    await auditLog.append(tx, {
      ...{ event: 'setup-begun', id: services.newId(), at: now, actor: { kind: 'system' } },
      ...{ userId: undefined, address: undefined, userAgent: undefined, requestId: undefined },
    })
    return { kind: 'begun', setup: { token, lifetime } }
  })
}
