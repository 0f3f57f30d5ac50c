import type { SessionWithUser } from '../domain/session.ts'
import { isFresh } from '../domain/session.ts'
import { hashToken } from '../domain/token.ts'
import type { Services } from '../services.ts'
import * as codeWindows from '../store/code-windows.ts'
import * as knownBrowsers from '../store/known-browsers.ts'
import * as sessions from '../store/sessions.ts'
import * as users from '../store/users.ts'
import { type Caller, record } from './caller.ts'

export type EndOtherSessionsOutcome =
  | { readonly kind: 'ended'; readonly count: number }
  | { readonly kind: 'stale' }

/** Ends all of the user's sessions but the one at hand, forgets the other browsers, and ends what codes opened to programs. */
export async function endOtherSessions(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'policy'>,
  { session, user }: SessionWithUser,
  caller: Caller,
): Promise<EndOtherSessionsOutcome> {
  const now = services.now()
  if (!isFresh(session, user, services.policy.session, now)) return { kind: 'stale' }
  return services.db.transaction().execute(async (tx): Promise<EndOtherSessionsOutcome> => {
    const isCurrent =
      (await users.holdEpoch(tx, user.id, user.epoch)) && (await sessions.exists(tx, session.id))
    if (!isCurrent) return { kind: 'stale' }
    const count = await sessions.removeAll(tx, user.id, session.id)
    const kept = caller.browserToken === undefined ? undefined : hashToken(caller.browserToken)
    await knownBrowsers.removeAll(tx, user.id, kept)
    await codeWindows.endAll(tx, user.id, now)
    await record(services, tx, { now, by: caller, userId: user.id }, { event: 'other-sessions-ended', count })
    return { kind: 'ended', count }
  })
}
