import { sql } from 'kysely'
import type { PasswordHash } from '../domain/password/hash-parameters.ts'
import type { UnixSeconds } from '../domain/time.ts'
import type { UserId } from '../domain/user.ts'
import type { Db } from './database.ts'
import { prepared } from './prepared.ts'

/** Stores a password's hash in place of whatever was there. */
export async function put(
  db: Db,
  userId: UserId,
  { hash, mustChange, now }: { hash: PasswordHash; mustChange: boolean; now: UnixSeconds },
): Promise<void> {
  const values = { hash, changed_at: now, must_change: mustChange ? 1 : 0 } as const
  await db
    .insertInto('password_hash')
    .values({ user_id: userId, ...values })
    .onConflict((oc) => oc.column('user_id').doUpdateSet(values))
    .execute()
}

/** Replaces a hash by one of the same password with today's cost, unless the password changed meanwhile. */
export async function upgrade(db: Db, userId: UserId, from: PasswordHash, to: PasswordHash): Promise<void> {
  await db
    .updateTable('password_hash')
    .set({ hash: to })
    .where('user_id', '=', userId)
    .where('hash', '=', from)
    .execute()
}

const atPlace = prepared((db, { place }: { place: string }) =>
  db
    .selectFrom('password_hash')
    .select('hash')
    .where(chanceOfUser, '>=', place)
    .orderBy(chanceOfUser)
    .limit(sql.lit(1)),
)

/** The part of an identifier that is random (see `newId`); an index is in its order, on both engines. */
const chanceOfUser = sql<string>`substr(user_id, 15)`

/**
 * Somebody's hash for a place, which is 12 characters of 0-9 and a-v: always the same one while its owner keeps it.
 *
 * Places drawn evenly give formats and costs as often as users have them; beyond the last there is none.
 */
export async function findDecoy(db: Db, place: string): Promise<PasswordHash | undefined> {
  const { rows } = await atPlace(db, { place })
  return rows[0]?.hash
}

/** Asks for a new password at the next sign-in (SEC-PW-8); `false` when there is none. */
export async function demandChange(db: Db, userId: UserId): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('password_hash')
    .set({ must_change: 1 })
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}
