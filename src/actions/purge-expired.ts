import type { Services } from '../services.ts'
import * as attempts from '../store/attempts.ts'
import * as auditLog from '../store/audit-log.ts'
import * as knownBrowsers from '../store/known-browsers.ts'
import * as logins from '../store/logins.ts'
import * as otpDevices from '../store/otp-devices.ts'
import * as sessions from '../store/sessions.ts'
import { CODE_PREFIX } from './budgets.ts'

/** How many rows went, by table. */
export type Purged = Readonly<
  Record<'logins' | 'sessions' | 'enrolments' | 'browsers' | 'attempts' | 'events', number>
>

/** Longest time for which any rule still looks at charged attempts. */
const ATTEMPTS_KEPT = 2 * 24 * 3600

/**
 * Removes what has ended. Nothing depends on it: whatever has ended is refused at use, purged or not (L-52).
 *
 * Each table is a transaction of its own, so that a large one does not hold up sign-ins.
 */
export async function purgeExpired({
  db,
  now: clock,
  policy,
}: Pick<Services, 'db' | 'now' | 'policy'>): Promise<Purged> {
  const now = clock()
  return {
    logins: await logins.purge(db, now),
    sessions: await sessions.purge(db, now, now - policy.session.idleTimeout),
    enrolments: await otpDevices.purgePending(db, now),
    browsers: await knownBrowsers.purge(db, now),
    attempts: await attempts.purge(db, now - ATTEMPTS_KEPT, CODE_PREFIX),
    events: await auditLog.purge(db, now - policy.auditRetention),
  }
}
