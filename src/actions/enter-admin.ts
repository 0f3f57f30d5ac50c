import { isAdmin, isAdminOpen, isAdminSeenStale } from '../domain/administration.ts'
import type { SessionWithUser } from '../domain/session.ts'
import type { Services } from '../services.ts'
import * as sessions from '../store/sessions.ts'

export type EnterAdminOutcome =
  | { readonly kind: 'open' }
  | { readonly kind: 'not-admin' }
  /** Idle too long, or never opened with a fresh proof: sign in again. */
  | { readonly kind: 'locked' }

/**
 * Whether a session may look at administration now; keeps it open for as long as it is used.
 *
 * @param isUse whether the request counts as use: one that the page of another site caused does not.
 */
export async function enterAdmin(
  { db, now: clock, policy }: Pick<Services, 'db' | 'now' | 'policy'>,
  held: SessionWithUser,
  isUse = true,
): Promise<EnterAdminOutcome> {
  const now = clock()
  if (!isAdmin(held)) return { kind: 'not-admin' }
  const seenAt = await sessions.findAdminSeen(db, held.session.id)
  if (seenAt === undefined || !isAdminOpen(held, seenAt, policy.session, now)) return { kind: 'locked' }
  // A session that was ended meanwhile has no row to write to: nothing revives it.
  const holds =
    !isUse || !isAdminSeenStale(seenAt, now) || (await sessions.touchAdmin(db, held.session.id, now))
  return { kind: holds ? 'open' : 'locked' }
}
