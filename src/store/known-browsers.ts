import { sql } from 'kysely'
import type { UnixSeconds } from '../domain/time.ts'
import type { TokenHash } from '../domain/token.ts'
import type { UserId } from '../domain/user.ts'
import type { Db } from './database.ts'
import { prepared } from './prepared.ts'

const insertOrRenew = prepared(
  (db, row: { tokenHash: TokenHash; userId: UserId; now: UnixSeconds; expiresAt: UnixSeconds }) =>
    db
      .insertInto('known_browser')
      .values({
        token_hash: row.tokenHash,
        user_id: row.userId,
        created_at: row.now,
        last_used_at: row.now,
        expires_at: row.expiresAt,
      })
      .onConflict((oc) =>
        oc.column('token_hash').doUpdateSet((eb) => ({
          last_used_at: eb.ref('excluded.last_used_at'),
          expires_at: eb.ref('excluded.expires_at'),
        })),
      ),
)

/** Remembers that a user signed in fully with a browser; it opens nothing, it only has its own budget of attempts. */
export async function put(
  db: Db,
  { tokenHash, userId }: { readonly tokenHash: TokenHash; readonly userId: UserId },
  { now, expiresAt }: { now: UnixSeconds; expiresAt: UnixSeconds },
): Promise<void> {
  await insertOrRenew(db, { tokenHash, userId, now, expiresAt })
}

const known = prepared(
  (db, { tokenHash, userId, now }: { tokenHash: TokenHash; userId: UserId; now: UnixSeconds }) =>
    db
      .selectFrom('known_browser')
      .select('token_hash')
      .where('token_hash', '=', tokenHash)
      .where('user_id', '=', userId)
      .where('expires_at', '>', now),
)

/** Whether this user signed in with this browser before. */
export async function isKnown(
  db: Db,
  tokenHash: TokenHash,
  userId: UserId,
  now: UnixSeconds,
): Promise<boolean> {
  const { rows } = await known(db, { tokenHash, userId, now })
  return rows.length > 0
}

/** Forgets the user's browsers, but the one to keep. */
export async function removeAll(db: Db, userId: UserId, keep?: TokenHash): Promise<void> {
  let query = db.deleteFrom('known_browser').where('user_id', '=', userId)
  if (keep !== undefined) query = query.where('token_hash', '!=', keep)
  await query.execute()
}

const overLimit = prepared((db, { userId, limit }: { userId: UserId; limit: number }) =>
  db
    .selectFrom('known_browser')
    .select('token_hash')
    .where('user_id', '=', userId)
    .orderBy('last_used_at', 'desc')
    .orderBy('token_hash')
    // SQLite knows OFFSET only after a LIMIT, and plans the query anew whenever one is bound.
    .limit(sql.lit(1000))
    .offset(limit),
)

/** Forgets the browsers of the user that were used longest ago, beyond `limit`. */
export async function removeOverLimit(db: Db, userId: UserId, limit: number): Promise<void> {
  const { rows } = await overLimit(db, { userId, limit })
  for (const { token_hash } of rows) {
    await db.deleteFrom('known_browser').where('token_hash', '=', token_hash).execute()
  }
}

/** Removes some browsers that were not used for too long. */
export async function purge(db: Db, now: UnixSeconds, limit: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('known_browser')
    .where('token_hash', 'in', (eb) =>
      eb.selectFrom('known_browser').select('token_hash').where('expires_at', '<=', now).limit(limit),
    )
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}
