import type { UnixSeconds } from '../domain/time.ts'
import type { UserId } from '../domain/user.ts'
import type { Db } from './database.ts'

/** What one administrator asked for and another has to carry out (SEC-AUTH-16). */
export interface ResetRequest {
  /** Whose second factor is to be reset. */
  readonly userId: UserId
  readonly requestedBy: UserId
  readonly requestedAt: UnixSeconds
  readonly expiresAt: UnixSeconds
}

/** The request for a user while it lasts. */
export async function find(db: Db, userId: UserId, now: UnixSeconds): Promise<ResetRequest | undefined> {
  const row = await db
    .selectFrom('reset_request')
    .selectAll()
    .where('user_id', '=', userId)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return (
    row && {
      userId: row.user_id,
      requestedBy: row.requested_by,
      requestedAt: row.requested_at,
      expiresAt: row.expires_at,
    }
  )
}

/** Stores a request in place of whatever was there. */
export async function put(db: Db, request: ResetRequest): Promise<void> {
  const values = {
    requested_by: request.requestedBy,
    requested_at: request.requestedAt,
    expires_at: request.expiresAt,
  }
  await db
    .insertInto('reset_request')
    .values({ user_id: request.userId, ...values })
    .onConflict((oc) => oc.column('user_id').doUpdateSet(values))
    .execute()
}

/** Uses up or withdraws the request for a user; `false` when there is none. */
export async function take(db: Db, userId: UserId): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('reset_request')
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()
  return numDeletedRows === 1n
}

/** Removes some requests that have ended. */
export async function purge(db: Db, now: UnixSeconds, limit: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('reset_request')
    .where('user_id', 'in', (eb) =>
      eb.selectFrom('reset_request').select('user_id').where('expires_at', '<=', now).limit(limit),
    )
    .where('expires_at', '<=', now)
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}
