import type { PasswordHash } from '../domain/password/hash-parameters.ts'
import type { UnixSeconds } from '../domain/time.ts'
import type { UserId } from '../domain/user.ts'
import type { Db } from './database.ts'

/** Replaces the user's codes by a new set; the old set dies (SEC-REC-5). */
export async function replaceAll(
  db: Db,
  userId: UserId,
  hashes: readonly PasswordHash[],
  { now, expiresAt }: { now: UnixSeconds; expiresAt: UnixSeconds | null },
): Promise<void> {
  await removeAll(db, userId)
  await db
    .insertInto('recovery_code')
    .values(
      hashes.map((hash, index) => ({
        user_id: userId,
        code_index: index,
        hash,
        created_at: now,
        expires_at: expiresAt,
      })),
    )
    .execute()
}

export async function removeAll(db: Db, userId: UserId): Promise<void> {
  await db.deleteFrom('recovery_code').where('user_id', '=', userId).execute()
}

/** The hash under one index, so that an attempt costs one hash however many are left (SEC-REC-2). */
export async function findHash(
  db: Db,
  userId: UserId,
  index: number,
  now: UnixSeconds,
): Promise<PasswordHash | undefined> {
  const row = await db
    .selectFrom('recovery_code')
    .select('hash')
    .where('user_id', '=', userId)
    .where('code_index', '=', index)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .executeTakeFirst()
  return row?.hash
}

/** Spends a code, once, and only the very code that was checked (SEC-REC-3). */
export async function spend(db: Db, userId: UserId, index: number, hash: PasswordHash): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('recovery_code')
    .where('user_id', '=', userId)
    .where('code_index', '=', index)
    .where('hash', '=', hash)
    .executeTakeFirstOrThrow()
  return numDeletedRows === 1n
}

/** Where codes begin that were imported; those before it carry their number. */
export const FIRST_IMPORTED_INDEX = 10

/** Spends an imported code by its keyed hash, once; `false` when the user has none such. */
export async function spendImported(db: Db, userId: UserId, hash: PasswordHash): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('recovery_code')
    .where('user_id', '=', userId)
    .where('code_index', '>=', FIRST_IMPORTED_INDEX)
    .where('hash', '=', hash)
    .executeTakeFirstOrThrow()
  return numDeletedRows === 1n
}

/** Which imported codes of the user are not among these, because they were spent or replaced elsewhere. */
export async function findImportedBut(
  db: Db,
  userId: UserId,
  hashes: ReadonlySet<PasswordHash>,
): Promise<readonly PasswordHash[]> {
  const rows = await db
    .selectFrom('recovery_code')
    .select('hash')
    .where('user_id', '=', userId)
    .where('code_index', '>=', FIRST_IMPORTED_INDEX)
    .execute()
  return rows.map(({ hash }) => hash).filter((hash) => !hashes.has(hash))
}

/** How many codes the user has left. */
export async function countLeft(db: Db, userId: UserId, now: UnixSeconds): Promise<number> {
  const { left } = await db
    .selectFrom('recovery_code')
    .select((eb) => eb.fn.countAll<number>().as('left'))
    .where('user_id', '=', userId)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .executeTakeFirstOrThrow()
  return Number(left)
}
