import type { UnixSeconds } from '../domain/time.ts'
import type { UserId } from '../domain/user.ts'
import type { Db } from './database.ts'
import { noteRevoked } from './revocations.ts'

/** Makes a group; `false` when there is one of that name. */
export async function insert(db: Db, name: string, now: UnixSeconds): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('user_group')
    .values({ name, created_at: now })
    .onConflict((oc) => oc.column('name').doNothing())
    .executeTakeFirstOrThrow()
  return numInsertedOrUpdatedRows === 1n
}

/** Deletes a group; nobody is in it any more. */
export async function remove(db: Db, name: string): Promise<boolean> {
  const members = await db
    .deleteFrom('group_member')
    .where('group_name', '=', name)
    .returning('user_id')
    .execute()
  for (const { user_id } of members) await noteRevoked(db, user_id)
  const { numDeletedRows } = await db
    .deleteFrom('user_group')
    .where('name', '=', name)
    .executeTakeFirstOrThrow()
  return numDeletedRows === 1n
}

/** Whether there is a group of that name, which then stays until the transaction ends. */
export async function hold(tx: Db, name: string): Promise<boolean> {
  // Writing a row over itself locks it on PostgreSQL; on SQLite the transaction alone does that.
  const { numUpdatedRows } = await tx
    .updateTable('user_group')
    .set((eb) => ({ created_at: eb.ref('created_at') }))
    .where('name', '=', name)
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}

/** Adds a member; `false` when it is one already. */
export async function addMember(db: Db, name: string, userId: UserId): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('group_member')
    .values({ group_name: name, user_id: userId })
    .onConflict((oc) => oc.columns(['user_id', 'group_name']).doNothing())
    .executeTakeFirstOrThrow()
  // Leases name the groups.
  if (numInsertedOrUpdatedRows === 1n) await noteRevoked(db, userId)
  return numInsertedOrUpdatedRows === 1n
}

export async function removeMember(db: Db, name: string, userId: UserId): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('group_member')
    .where('group_name', '=', name)
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()
  if (numDeletedRows > 0n) await noteRevoked(db, userId)
  return numDeletedRows === 1n
}

export async function isMember(db: Db, name: string, userId: UserId): Promise<boolean> {
  const row = await db
    .selectFrom('group_member')
    .select('user_id')
    .where('group_name', '=', name)
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return row !== undefined
}
