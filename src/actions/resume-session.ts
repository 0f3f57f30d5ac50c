import { isVerified, secondFactorDemanded } from '../domain/login.ts'
import type { SessionWithUser } from '../domain/session.ts'
import { isAlive, isSeenStale } from '../domain/session.ts'
import { hashToken, type Token } from '../domain/token.ts'
import type { Services } from '../services.ts'
import * as sessions from '../store/sessions.ts'

/** Who holds this token, if the session still holds and the user may still be here (SEC-SES-1, SEC-AUTH-19). */
export async function resumeSession(
  { db, now: clock, policy }: Pick<Services, 'db' | 'now' | 'policy'>,
  token: Token,
): Promise<SessionWithUser | undefined> {
  const now = clock()
  const found = await sessions.findByToken(db, hashToken(token))
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
