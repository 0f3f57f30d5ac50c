import type { AuthenticationMethod } from '../domain/login.ts'
import type { Session, SessionUser, SessionWithUser } from '../domain/session.ts'
import type { UnixSeconds } from '../domain/time.ts'
import type { Services } from '../services.ts'
import type { Db } from '../store/database.ts'
import * as sessions from '../store/sessions.ts'
import { type Issued, startSession } from './advance-login.ts'
import type { Caller } from './caller.ts'
import { Superseded } from './superseded.ts'

/** The session goes on under a new token. */
export interface Renewed {
  readonly user: SessionUser
  readonly session: Session
  readonly sessionToken: Issued
}

/**
 * Ends every session of the user and goes on with this one under a new token (SEC-SES-3, SEC-SES-9).
 *
 * Neither the end of the session nor the time of authentication moves: a change is not a new proof.
 * Throws `Superseded` when the session is there no more.
 */
export async function renewSession(
  tx: Db,
  services: Pick<Services, 'newId' | 'newToken' | 'policy'>,
  { session, user }: SessionWithUser,
  { amr, caller, now }: { amr: readonly AuthenticationMethod[]; caller: Caller; now: UnixSeconds },
): Promise<Renewed> {
  // Ended while this was under way: by a sign-out, or by a recovery that means to end whatever is open.
  if (!(await sessions.remove(tx, user.id, session.id))) throw new Superseded()
  await sessions.removeAll(tx, user.id)
  const { authTime, expiresAt } = session
  return { user, ...(await startSession(tx, services, user, { amr, authTime, expiresAt, caller, now })) }
}
