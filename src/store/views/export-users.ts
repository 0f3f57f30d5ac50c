import type { PasswordHash } from '../../domain/password/hash-parameters.ts'
import type { UnixSeconds } from '../../domain/time.ts'
import type { UserId } from '../../domain/user.ts'
import type { Db } from '../database.ts'
import { fromRow, type OtpDevice } from '../otp-devices.ts'

/** All that another program could take over of a user. */
export interface UserToExport {
  readonly id: UserId
  readonly username: string
  readonly displayName: string
  readonly isSuperuser: boolean
  readonly disabled: boolean
  readonly createdAt: UnixSeconds
  readonly lastSignInAt: UnixSeconds | undefined
  readonly groups: readonly string[]
  readonly password:
    | { readonly hash: PasswordHash; readonly changedAt: UnixSeconds; readonly mustChange: boolean }
    | undefined
  /** Confirmed ones, disabled ones included. */
  readonly devices: readonly OtpDevice[]
}

/** Users in the order of their identifiers, at most `limit` after the one named. */
export async function listUsersToExport(
  db: Db,
  { after, limit }: { readonly after: UserId | undefined; readonly limit: number },
): Promise<UserToExport[]> {
  const rows = await db
    .selectFrom('user')
    .leftJoin('password_hash', 'password_hash.user_id', 'user.id')
    .selectAll('user')
    .select(['password_hash.hash', 'password_hash.changed_at', 'password_hash.must_change'])
    .$if(after !== undefined, (query) => query.where('user.id', '>', after ?? ('' as UserId)))
    .orderBy('user.id')
    .limit(limit)
    .execute()
  const ids = rows.map(({ id }) => id)
  if (ids.length === 0) return []
  const members = await db
    .selectFrom('group_member')
    .selectAll()
    .where('user_id', 'in', ids)
    .orderBy('group_name')
    .execute()
  const devices = await db
    .selectFrom('otp_device')
    .selectAll()
    .where('user_id', 'in', ids)
    .where('confirmed_at', 'is not', null)
    .orderBy('id')
    .execute()
  const groupsOf = Map.groupBy(members, ({ user_id }) => user_id)
  const devicesOf = Map.groupBy(devices, ({ user_id }) => user_id)
  return rows.map((row) => ({
    id: row.id,
    username: row.username,
    displayName: row.display_name,
    isSuperuser: row.is_superuser === 1,
    disabled: row.disabled_at !== null,
    createdAt: row.created_at,
    lastSignInAt: row.last_sign_in_at ?? undefined,
    groups: (groupsOf.get(row.id) ?? []).map(({ group_name }) => group_name),
    password:
      row.hash === null || row.changed_at === null
        ? undefined
        : { hash: row.hash, changedAt: row.changed_at, mustChange: row.must_change === 1 },
    devices: (devicesOf.get(row.id) ?? []).map(fromRow),
  }))
}
