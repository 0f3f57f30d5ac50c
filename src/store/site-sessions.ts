import type { UnixSeconds } from '../domain/time.ts'
import type { TokenHash } from '../domain/token.ts'
import type { Db } from './database.ts'

/** Makes the token of a session on a protected host, in place of an earlier one there; it ends with the session. */
export async function replace(
  db: Db,
  site: { readonly tokenHash: TokenHash; readonly sessionId: string; readonly host: string },
  now: UnixSeconds,
): Promise<void> {
  const { tokenHash, sessionId, host } = site
  await db.deleteFrom('site_session').where('session_id', '=', sessionId).where('host', '=', host).execute()
  await db
    .insertInto('site_session')
    .values({ token_hash: tokenHash, session_id: sessionId, host, created_at: now })
    .execute()
}
