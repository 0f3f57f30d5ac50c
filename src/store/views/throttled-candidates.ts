import type { UnixSeconds } from '../../domain/time.ts'
import type { UserId } from '../../domain/user.ts'
import type { Db } from '../database.ts'

/** More at once would be an attack, of which the list shows enough. */
const CANDIDATES_MAXIMUM = 1000

/** Users for whom a wait began since then; it may be over, or taken back. */
export async function listThrottledCandidates(
  db: Db,
  since: UnixSeconds,
): Promise<readonly { readonly id: UserId; readonly username: string }[]> {
  return db
    .selectFrom('user')
    .select(['user.id', 'user.username'])
    .where('user.id', 'in', (eb) =>
      eb
        .selectFrom('audit_event')
        .select('audit_event.user_id')
        .where('audit_event.event', '=', 'throttled')
        .where('audit_event.at', '>=', since)
        .where('audit_event.user_id', 'is not', null)
        .$castTo<{ user_id: UserId }>(),
    )
    .limit(CANDIDATES_MAXIMUM)
    .execute()
}
