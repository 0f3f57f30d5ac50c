import type { SessionUser } from '../domain/session.ts'
import type { UserId } from '../domain/user.ts'

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

interface JoinedRow {
  readonly user_id: UserId
  readonly username: string
  readonly display_name: string
  readonly is_superuser: number
  readonly has_second_factor: number
  readonly epoch: number
  readonly disabled_at: number | null
  readonly group_name: string | null
}

/** A user as they are now, with what else the first of their rows tells; `undefined` where there is none. */
export function joinedUser<Row extends JoinedRow>(
  rows: readonly Row[],
): { readonly row: Row; readonly user: SessionUser; readonly groups: readonly string[] } | undefined {
  const [row] = rows
  if (row === undefined) return undefined
  const user: SessionUser = {
    id: row.user_id,
    username: row.username,
    displayName: row.display_name,
    isSuperuser: row.is_superuser === 1,
    hasSecondFactor: row.has_second_factor === 1,
    disabled: row.disabled_at !== null,
    epoch: row.epoch,
  }
  return { row, user, groups: rows.flatMap(({ group_name }) => group_name ?? []).toSorted() }
}
