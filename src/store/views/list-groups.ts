import type { UnixSeconds } from '../../domain/time.ts'
import type { Db } from '../database.ts'

/** A line of the list of groups. */
export interface ListedGroup {
  readonly name: string
  readonly members: number
  readonly createdAt: UnixSeconds
}

/** All groups, by name. */
export async function listGroups(db: Db): Promise<readonly ListedGroup[]> {
  const rows = await db
    .selectFrom('user_group')
    .leftJoin('group_member', 'group_member.group_name', 'user_group.name')
    .select(['user_group.name', 'user_group.created_at'])
    .select((eb) => eb.fn.count<number>('group_member.user_id').as('members'))
    .groupBy(['user_group.name', 'user_group.created_at'])
    .orderBy('user_group.name')
    .execute()
  return rows.map((row) => ({
    name: row.name,
    members: Number(row.members),
    createdAt: row.created_at,
  }))
}
