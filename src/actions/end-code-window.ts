import type { SessionWithUser } from '../domain/session.ts'
import type { UnixSeconds } from '../domain/time.ts'
import type { UserId } from '../domain/user.ts'
import type { Services } from '../services.ts'
import * as codeWindows from '../store/code-windows.ts'
import type { Db } from '../store/database.ts'
import * as users from '../store/users.ts'
import { allow } from './allow.ts'
import { type Administrator, type Caller, record } from './caller.ts'

export type EndCodeWindowOutcome = { readonly kind: 'ended' } | { readonly kind: 'not-found' }

type Needed = Pick<Services, 'db' | 'now' | 'newId' | 'policy'>

/** Ends one of one's own windows. It needs no fresh proof: it only closes, and somebody may be in a hurry. */
export async function endCodeWindow(
  services: Needed,
  { user }: SessionWithUser,
  { id, caller }: { readonly id: string; readonly caller: Caller },
): Promise<EndCodeWindowOutcome> {
  const now = services.now()
  return services.db
    .transaction()
    .execute((tx) => end(tx, services, { userId: user.id, id, by: caller, now }))
}

/** Ends a window of anybody, by the word of the operator or, inside of `byAdmin`, of an administrator. */
export async function endCodeWindowOf(
  services: Needed,
  id: string,
  by: Administrator,
): Promise<EndCodeWindowOutcome> {
  const now = services.now()
  return services.db.transaction().execute(async (tx): Promise<EndCodeWindowOutcome> => {
    await allow(tx, services, { by, now })
    const userId = await codeWindows.findOwner(tx, id)
    return userId === undefined ? { kind: 'not-found' } : end(tx, services, { userId, id, by, now })
  })
}

async function end(
  tx: Db,
  services: Needed,
  { userId, id, by, now }: { userId: UserId; id: string; by: Caller | Administrator; now: UnixSeconds },
): Promise<EndCodeWindowOutcome> {
  if (!(await users.hold(tx, userId))) return { kind: 'not-found' }
  const policy = await codeWindows.end(tx, userId, { id, now })
  if (policy === undefined) return { kind: 'not-found' }
  await record(services, tx, { now, by, userId }, { event: 'code-window-ended', codeWindowId: id, policy })
  return { kind: 'ended' }
}
