import type { SessionWithUser } from '../domain/session.ts'
import { hashToken, type Token } from '../domain/token.ts'
import type { Services } from '../services.ts'
import * as sessions from '../store/sessions.ts'
import { keepSession } from './keep-session.ts'

/** Who holds this token, if the session still holds and the user may still be here (SEC-SES-1, SEC-AUTH-19). */
export async function resumeSession(
  services: Pick<Services, 'db' | 'now' | 'policy'>,
  token: Token,
): Promise<SessionWithUser | undefined> {
  const now = services.now()
  return keepSession(services, await sessions.findByToken(services.db, hashToken(token)), now)
}
