import { isVerified, secondFactorDemanded } from '../domain/login.ts'
import { isAlive, isSeenStale, type SessionWithUser } from '../domain/session.ts'
import type { UnixSeconds } from '../domain/time.ts'
import type { Services } from '../services.ts'
import * as sessions from '../store/sessions.ts'

/** The session that was found, if it still holds and the user may still be here (SEC-AUTH-19); writes down its use. */
export async function keepSession(
  { db, policy }: Pick<Services, 'db' | 'policy'>,
  found: SessionWithUser | undefined,
  now: UnixSeconds,
): Promise<SessionWithUser | undefined> {
  if (found === undefined || found.user.disabled || !isAlive(found.session, policy.session, now))
    return undefined
  // Opened by a password alone while that was enough: no longer, since the policy demands more (SEC-AUTH-3).
  if (secondFactorDemanded(found.user, policy.enrolment) && !isVerified(found.session.amr)) return undefined
  if (isSeenStale(found.session, policy.session, now)) {
    await sessions.touch(db, found.session.id, now)
    return { ...found, session: { ...found.session, lastSeenAt: now } }
  }
  return found
}
