import { type ExpressionBuilder, sql } from 'kysely'
import type { UnixSeconds } from '../../domain/time.ts'
import { normalizeUsername } from '../../domain/user.ts'
import type { Database, Db } from '../database.ts'

/** A line of the list of users. */
export interface ListedUser {
  readonly username: string
  readonly displayName: string
  readonly isSuperuser: boolean
  readonly disabled: boolean
  /** Whether a device is there whose codes can be checked. */
  readonly hasUsableDevice: boolean
  readonly hasPassword: boolean
  readonly createdAt: UnixSeconds
  readonly lastSignInAt: UnixSeconds | undefined
}

/** Which users to list. */
export interface UserSelection {
  /** Part of the username or the display name. */
  readonly search?: string | undefined
  readonly filter?: 'no-second-factor' | 'disabled' | 'superuser' | undefined
  readonly group?: string | undefined
  /** The username that the part before ended with. */
  readonly after?: string | undefined
  readonly limit: number
}

/** Users in the order of their canonical names; `more` when the list goes on after the last one. */
export async function listUsers(
  db: Db,
  { search, filter, group, after, limit }: UserSelection,
): Promise<{ readonly users: readonly ListedUser[]; readonly more: boolean }> {
  let query = db
    .selectFrom('user')
    .leftJoin('password_hash', 'password_hash.user_id', 'user.id')
    .select([
      'user.username',
      'user.display_name',
      'user.is_superuser',
      'user.disabled_at',
      'user.created_at',
      'user.last_sign_in_at',
      'password_hash.changed_at',
    ])
    .select((eb) =>
      eb
        .case()
        .when(eb.exists(usableDevice(eb)))
        .then(1)
        .else(0)
        .end()
        .as('usable'),
    )
    .orderBy('user.canonical_username')
    .limit(limit + 1)
  if (after !== undefined) query = query.where('user.canonical_username', '>', normalizeUsername(after))
  if (search !== undefined) {
    query = query.where((eb) =>
      eb.or([
        contains('user.canonical_username', normalizeUsername(search)),
        contains('user.display_name', search),
      ]),
    )
  }
  if (filter === 'disabled') query = query.where('user.disabled_at', 'is not', null)
  if (filter === 'superuser') query = query.where('user.is_superuser', '=', 1)
  if (filter === 'no-second-factor') query = query.where((eb) => eb.not(eb.exists(usableDevice(eb))))
  if (group !== undefined) {
    const members = db.selectFrom('group_member').select('user_id').where('group_name', '=', group)
    query = query.where('user.id', 'in', members)
  }
  const rows = await query.execute()
  const users = rows.slice(0, limit).map((row) => ({
    username: row.username,
    displayName: row.display_name,
    isSuperuser: row.is_superuser === 1,
    disabled: row.disabled_at !== null,
    hasUsableDevice: row.usable === 1,
    hasPassword: row.changed_at !== null,
    createdAt: row.created_at,
    lastSignInAt: row.last_sign_in_at ?? undefined,
  }))
  return { users, more: rows.length > limit }
}

const usableDevice = (eb: ExpressionBuilder<Database, 'user'>) =>
  eb
    .selectFrom('otp_device')
    .select('otp_device.id')
    .whereRef('otp_device.user_id', '=', 'user.id')
    .where('otp_device.confirmed_at', 'is not', null)
    .where('otp_device.disabled_at', 'is', null)

/** Case of ASCII letters aside. Raw, since SQLite has no escape in LIKE unless told; both engines read this. */
function contains(column: string, part: string) {
  const pattern = `%${part.toLowerCase().replace(/[%_!]/g, '!$&')}%`
  return sql<boolean>`lower(${sql.ref(column)}) like ${pattern} escape '!'`
}
