import type { SessionWithUser } from '../domain/session.ts'
import { isFresh } from '../domain/session.ts'
import type { Services } from '../services.ts'
import * as sessions from '../store/sessions.ts'
import { type Caller, record } from './caller.ts'

export type EndSessionOutcome =
  | { readonly kind: 'ended' }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'stale' }

/** Ends one of the user's own sessions; others than the one at hand need a fresh proof (SEC-SES-11). */
export async function endSession(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'policy'>,
  { session, user }: SessionWithUser,
  { id, caller }: { readonly id: string; readonly caller: Caller },
): Promise<EndSessionOutcome> {
  const now = services.now()
  if (id !== session.id && !isFresh(session, user, services.policy.session, now)) return { kind: 'stale' }
  return services.db.transaction().execute(async (tx): Promise<EndSessionOutcome> => {
    if (!(await sessions.remove(tx, user.id, id))) return { kind: 'not-found' }
    const event = { event: 'session-ended', sessionId: id, reason: 'by-user' } as const
    await record(services, tx, { now, by: caller, userId: user.id }, event)
    return { kind: 'ended' }
  })
}
