import type { PasswordHash } from '../domain/password/hash-parameters.ts'
import type { UnixSeconds } from '../domain/time.ts'
import { normalizeUsername, type User, type UserId, usernameProblem } from '../domain/user.ts'
import type { Db } from './database.ts'
import { prepared } from './prepared.ts'
import { noteRevoked } from './revocations.ts'
import { userFromRow } from './user-row.ts'

/** A user together with the password hash, for checking a sign-in. */
export interface UserWithPassword extends User {
  readonly passwordHash: PasswordHash | undefined
}

const columns = [
  'user.id',
  'user.username',
  'user.display_name',
  'user.is_superuser',
  'user.has_second_factor',
  'user.epoch',
  'user.disabled_at',
  'password_hash.hash',
  'password_hash.must_change',
] as const

const selected = (db: Db) =>
  db.selectFrom('user').leftJoin('password_hash', 'password_hash.user_id', 'user.id').select(columns)

type Row = Awaited<ReturnType<ReturnType<typeof selected>['executeTakeFirstOrThrow']>>

const fromRow = (row: Row): UserWithPassword => ({
  ...userFromRow(row.id, row),
  mustChangePassword: row.must_change === 1,
  passwordHash: row.hash ?? undefined,
})

const byCanonicalName = prepared((db, { name }: { name: string }) =>
  selected(db).where('canonical_username', '=', name),
)

/** Finds a user by any spelling of the name; a text that cannot be a name costs no query. */
export async function findByUsername(db: Db, typed: string): Promise<UserWithPassword | undefined> {
  const name = normalizeUsername(typed)
  if (usernameProblem(name) !== undefined) return undefined
  const { rows } = await byCanonicalName(db, { name })
  return rows[0] && fromRow(rows[0])
}

const byId = prepared((db, { id }: { id: UserId }) => selected(db).where('user.id', '=', id))

export async function findById(db: Db, id: UserId): Promise<UserWithPassword | undefined> {
  const { rows } = await byId(db, { id })
  return rows[0] && fromRow(rows[0])
}

/** A user by any spelling of the name, or by the identifier. */
export type UserReference = string | { readonly id: UserId }

/** Finds whom a change is about. */
export async function findByReference(db: Db, who: UserReference): Promise<UserWithPassword | undefined> {
  return typeof who === 'string' ? findByUsername(db, who) : findById(db, who.id)
}

/** Makes a user; `false` when the canonical name is taken. */
export async function insert(
  db: Db,
  user: Pick<User, 'id' | 'username' | 'displayName' | 'isSuperuser'>,
  now: UnixSeconds,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('user')
    .values({
      id: user.id,
      username: user.username,
      canonical_username: normalizeUsername(user.username),
      display_name: user.displayName,
      is_superuser: user.isSuperuser ? 1 : 0,
      has_second_factor: 0,
      epoch: 1,
      created_at: now,
      disabled_at: null,
      last_sign_in_at: null,
    })
    .onConflict((oc) => oc.column('canonical_username').doNothing())
    .executeTakeFirstOrThrow()
  return numInsertedOrUpdatedRows === 1n
}

const updateLastSignIn = prepared((db, { id, epoch, now }: { id: UserId; epoch: number; now: UnixSeconds }) =>
  db
    .updateTable('user')
    .set({ last_sign_in_at: now })
    .where('id', '=', id)
    .where('epoch', '=', epoch)
    .where('disabled_at', 'is', null),
)

/**
 * Writes a sign-in down, if the user may still sign in with what was checked.
 *
 * `false` when the user was disabled or deleted, or a factor or the password changed since the login began
 * (SEC-AUTH-19): the row's lock puts this sign-in and such a change in one order.
 */
export async function claimSignIn(db: Db, id: UserId, epoch: number, now: UnixSeconds): Promise<boolean> {
  const { affected } = await updateLastSignIn(db, { id, epoch, now })
  return affected === 1
}

/** Holds a user who may still sign in with what was checked until the transaction ends; `false` as `claimSignIn`. */
export async function holdEpoch(db: Db, id: UserId, epoch: number): Promise<boolean> {
  const { affected } = await updateNothing(db, { id, epoch })
  return affected === 1
}

const updateNothing = prepared((db, { id, epoch }: { id: UserId; epoch: number }) =>
  db
    .updateTable('user')
    .set({ epoch })
    .where('id', '=', id)
    .where('epoch', '=', epoch)
    .where('disabled_at', 'is', null),
)

/** Holds a user until the transaction ends, disabled or not; `false` when the user is gone. */
export async function hold(db: Db, id: UserId): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('user')
    .set((eb) => ({ epoch: eb.ref('epoch') }))
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}

/** Moves the user to the next epoch, which ends every login under way; `false` when the user is gone. */
export async function advanceEpoch(db: Db, id: UserId): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('user')
    .set((eb) => ({ epoch: eb('epoch', '+', 1) }))
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  if (numUpdatedRows > 0n) await noteRevoked(db, id)
  return numUpdatedRows === 1n
}

/** As `advanceEpoch`, only from the epoch that was seen: of two changes at once one gets `false`. */
export async function claimEpoch(db: Db, id: UserId, seen: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('user')
    .set({ epoch: seen + 1 })
    .where('id', '=', id)
    .where('epoch', '=', seen)
    .where('disabled_at', 'is', null)
    .executeTakeFirstOrThrow()
  if (numUpdatedRows > 0n) await noteRevoked(db, id)
  return numUpdatedRows === 1n
}

export async function setSecondFactor(db: Db, id: UserId, has: boolean): Promise<void> {
  await db
    .updateTable('user')
    .set({ has_second_factor: has ? 1 : 0 })
    .where('id', '=', id)
    .execute()
  await noteRevoked(db, id)
}

export async function setDisplayName(db: Db, id: UserId, displayName: string): Promise<void> {
  await db.updateTable('user').set({ display_name: displayName }).where('id', '=', id).execute()
  // What was handed to applications has the former name.
  await noteRevoked(db, id)
}

/** Disables or enables; `false` when the user is gone or is so already. */
export async function setDisabled(db: Db, id: UserId, disabledAt: UnixSeconds | null): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('user')
    .set((eb) => ({ disabled_at: disabledAt, epoch: eb('epoch', '+', 1) }))
    .where('id', '=', id)
    .where('disabled_at', disabledAt === null ? 'is not' : 'is', null)
    .executeTakeFirstOrThrow()
  if (numUpdatedRows > 0n) await noteRevoked(db, id)
  return numUpdatedRows === 1n
}

/** Deletes the user and all that belongs to it but the audit log. */
export async function remove(db: Db, id: UserId): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('user').where('id', '=', id).executeTakeFirstOrThrow()
  if (numDeletedRows > 0n) await noteRevoked(db, id)
  return numDeletedRows === 1n
}

/** Whether there is any user yet. */
export async function exist(db: Db): Promise<boolean> {
  return (await db.selectFrom('user').select('id').limit(1).executeTakeFirst()) !== undefined
}
