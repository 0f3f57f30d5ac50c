import type { AuditEvent } from '../domain/audit.ts'
import type { UnixSeconds } from '../domain/time.ts'
import type { UserId } from '../domain/user.ts'
import type { Services } from '../services.ts'
import * as auditLog from '../store/audit-log.ts'
import * as users from '../store/users.ts'
import { type Caller, record } from './caller.ts'

/** A refusal is written down at most this often a user, so that no program that tries again and again fills the log. */
const REFUSAL_INTERVAL = 60

/** Writes down that a program showed what was made here and opens nothing: worth an event, but not one for each try. */
export async function recordRefusal(
  services: Pick<Services, 'db' | 'newId'>,
  told: AuditEvent,
  { userId, by, now }: { readonly userId: UserId; readonly by: Caller; readonly now: UnixSeconds },
): Promise<void> {
  const isRecorded = (db: Services['db']) =>
    auditLog.wasRecorded(db, userId, told.event, now - REFUSAL_INTERVAL)
  // Most tries of a flood end here, with a look and no write.
  if (await isRecorded(services.db)) return
  await services.db.transaction().execute(async (tx) => {
    // Of many at once one writes: the row of the user puts them in order.
    if (!(await users.hold(tx, userId)) || (await isRecorded(tx))) return
    await record(services, tx, { now, by, userId, proven: false }, told)
  })
}
