import { CLOCK_SKEW, type UnixSeconds } from '../domain/time.ts'
import type { TokenHash } from '../domain/token.ts'
import type { UserId } from '../domain/user.ts'
import type { Db } from './database.ts'

/** A one-time link: to make the first user, or for a user to choose a password. */
export type Purpose = { readonly kind: 'setup' } | { readonly kind: 'invite'; readonly userId: UserId }

/** Stores an invitation under the hash of its token; an earlier one for the same ends. */
export async function replace(
  tx: Db,
  invitation: Purpose & { readonly tokenHash: TokenHash },
  { now, expiresAt }: { now: UnixSeconds; expiresAt: UnixSeconds },
): Promise<void> {
  const userId = invitation.kind === 'invite' ? invitation.userId : null
  if (userId === null) await tx.deleteFrom('invitation').where('purpose', '=', 'setup').execute()
  else await removeOf(tx, userId)
  await tx
    .insertInto('invitation')
    .values({
      token_hash: invitation.tokenHash,
      purpose: invitation.kind,
      user_id: userId,
      created_at: now,
      expires_at: expiresAt,
    })
    .execute()
}

/** What a token is for while it lasts; one that was made in the future ended when the clock was set back. */
export async function findByToken(
  db: Db,
  tokenHash: TokenHash,
  now: UnixSeconds,
): Promise<Purpose | undefined> {
  const row = await db
    .selectFrom('invitation')
    .select(['purpose', 'user_id'])
    .where('token_hash', '=', tokenHash)
    .where('expires_at', '>', now)
    .where('created_at', '<=', now + CLOCK_SKEW)
    .executeTakeFirst()
  if (row === undefined) return undefined
  if (row.purpose === 'setup') return { kind: 'setup' }
  return row.user_id === null ? undefined : { kind: 'invite', userId: row.user_id }
}

/** Until when the user may use an invitation, if there is one. */
export async function findEnd(db: Db, userId: UserId, now: UnixSeconds): Promise<UnixSeconds | undefined> {
  const row = await db
    .selectFrom('invitation')
    .select('expires_at')
    .where('user_id', '=', userId)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return row?.expires_at
}

/** Uses an invitation up; of two requests that use it one gets `false`. */
export async function take(db: Db, tokenHash: TokenHash, now: UnixSeconds): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('invitation')
    .where('token_hash', '=', tokenHash)
    .where('expires_at', '>', now)
    .executeTakeFirstOrThrow()
  return numDeletedRows === 1n
}

/** Ends the invitations of a user: the password was chosen otherwise, or may not be chosen any more. */
export async function removeOf(db: Db, userId: UserId): Promise<void> {
  await db.deleteFrom('invitation').where('user_id', '=', userId).execute()
}

/** Removes some invitations that have ended. */
export async function purge(db: Db, now: UnixSeconds, limit: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('invitation')
    .where('token_hash', 'in', (eb) =>
      eb.selectFrom('invitation').select('token_hash').where('expires_at', '<=', now).limit(limit),
    )
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}
