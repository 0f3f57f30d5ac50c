import { StorageFault } from '../domain/faults.ts'
import type { SessionUser } from '../domain/session.ts'
import type { UserId } from '../domain/user.ts'

/** What a query tells of a user. */
export interface UserRow {
  readonly username: string
  readonly display_name: string
  readonly is_superuser: number
  readonly has_second_factor: number
  readonly epoch: number
  readonly disabled_at: number | null
}

/**
 * The user of a row.
 *
 * Refuses a row that no table of users holds. Where pages of a damaged file took each other's place SQLite reads entries of
 * another table for users, with NULL for what these do not have: not disabled, by no name.
 *
 * @throws StorageFault for such a row.
 */
export function userFromRow(id: UserId, row: UserRow): SessionUser {
  const { username, display_name: displayName, epoch } = row
  const isWhole =
    typeof username === 'string' && typeof displayName === 'string' && Number.isSafeInteger(epoch)
  if (!isWhole || !isFlag(row.is_superuser) || !isFlag(row.has_second_factor)) {
    throw new StorageFault('The database is damaged: a user is none. Stop the server and restore a backup.')
  }
  return {
    ...{ id, username, displayName, epoch },
    isSuperuser: row.is_superuser === 1,
    hasSecondFactor: row.has_second_factor === 1,
    disabled: row.disabled_at !== null,
  }
}

const isFlag = (value: unknown): boolean => value === 0 || value === 1
