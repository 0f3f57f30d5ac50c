import type { SessionUser } from '../domain/session.ts'
import type { UserId } from '../domain/user.ts'
import { type UserRow, userFromRow } from './user-row.ts'

/** Columns by which a query tells a user with their groups: one row for each group, and one without any for a user of none. */
export const joinedUserColumns = [
  'user.username',
  'user.display_name',
  'user.is_superuser',
  'user.has_second_factor',
  'user.epoch',
  'user.disabled_at',
  'group_member.group_name',
] as const

interface JoinedRow extends UserRow {
  readonly user_id: UserId
  readonly group_name: string | null
}

/** A user as they are now, with what else the first of their rows tells; `undefined` where there is none. */
export function joinedUser<Row extends JoinedRow>(
  rows: readonly Row[],
): { readonly row: Row; readonly user: SessionUser; readonly groups: readonly string[] } | undefined {
  const [row] = rows
  if (row === undefined) return undefined
  const user = userFromRow(row.user_id, row)
  return { row, user, groups: rows.flatMap(({ group_name }) => group_name ?? []).toSorted() }
}
