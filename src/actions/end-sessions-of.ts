import type { UserId } from '../domain/user.ts'
import type { Services } from '../services.ts'
import * as codeWindows from '../store/code-windows.ts'
import * as knownBrowsers from '../store/known-browsers.ts'
import * as logins from '../store/logins.ts'
import * as sessions from '../store/sessions.ts'
import * as users from '../store/users.ts'
import { type AdminRefusal, allow, byAdmin } from './allow.ts'
import { type Admin, record } from './caller.ts'

export type EndSessionsOfOutcome =
  | { readonly kind: 'ended'; readonly count: number }
  /** No such user, or no such session of this user. */
  | { readonly kind: 'not-found' }
  | AdminRefusal

/**
 * Ends one session of a user, or all that they hold in browsers and what codes opened to programs, by the
 * word of an administrator (SEC-SES-8).
 */
export async function endSessionsOf(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'policy'>,
  which: { readonly userId: UserId } | { readonly sessionId: string },
  by: Admin,
): Promise<EndSessionsOfOutcome> {
  const now = services.now()
  return byAdmin(
    services.db.transaction().execute(async (tx): Promise<EndSessionsOfOutcome> => {
      await allow(tx, services, { by, now })
      const userId = 'userId' in which ? which.userId : await sessions.findOwner(tx, which.sessionId)
      if (userId === undefined || !(await users.hold(tx, userId))) return { kind: 'not-found' }
      const context = { now, by, userId }
      if ('sessionId' in which) {
        const { sessionId } = which
        if (!(await sessions.remove(tx, userId, sessionId))) return { kind: 'not-found' }
        await record(services, tx, context, { event: 'session-ended', sessionId, reason: 'by-admin' })
        return { kind: 'ended', count: 1 }
      }
      await logins.removeAll(tx, userId)
      const count = await sessions.removeAll(tx, userId)
      await knownBrowsers.removeAll(tx, userId)
      await codeWindows.endAll(tx, userId, now)
      await record(services, tx, context, { event: 'sessions-ended', count })
      return { kind: 'ended', count }
    }),
  )
}
