import type { UserId } from '../../domain/user.ts'
import type { Db } from '../database.ts'
import { prepared } from '../prepared.ts'

const byUser = prepared((db, { userId }: { userId: UserId }) =>
  db.selectFrom('group_member').select('group_name').where('user_id', '=', userId).orderBy('group_name'),
)

/** The names of the user's groups, in order. */
export async function groupsOf(db: Db, userId: UserId): Promise<string[]> {
  const { rows } = await byUser(db, { userId })
  return rows.map((row) => row.group_name)
}
