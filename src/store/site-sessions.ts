import type { UnixSeconds } from '../domain/time.ts'
import type { TokenHash } from '../domain/token.ts'
import type { Db } from './database.ts'
import { noteRevoked } from './revocations.ts'
import * as sessions from './sessions.ts'

/** Makes the token of a session on a protected host, in place of an earlier one there; it ends with the session. */
export async function replace(
  db: Db,
  site: { readonly tokenHash: TokenHash; readonly sessionId: string; readonly host: string },
  now: UnixSeconds,
): Promise<void> {
  const { tokenHash, sessionId, host } = site
  const { numDeletedRows } = await db
    .deleteFrom('site_session')
    .where('session_id', '=', sessionId)
    .where('host', '=', host)
    .executeTakeFirstOrThrow()
  const owner = numDeletedRows > 0n ? await sessions.findOwner(db, sessionId) : undefined
  if (owner !== undefined) await noteRevoked(db, owner)
  await db
    .insertInto('site_session')
    .values({ token_hash: tokenHash, session_id: sessionId, host, created_at: now })
    .execute()
}
