import { type ExpressionBuilder, type SelectQueryBuilder, sql } from 'kysely'
import type { UnixSeconds } from '../../domain/time.ts'
import { normalizeUsername, type UserId } from '../../domain/user.ts'
import type { Database, Db } from '../database.ts'
import { isSqlite } from '../engine.ts'

/** A line of the list of users. */
export interface ListedUser {
  readonly id: UserId
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

/** What users can be filtered by, one at a time. */
export const userFilters = ['no-second-factor', 'disabled', 'superuser', 'never-signed-in'] as const

/** Which users to list. */
export interface UserSelection {
  /** Part of the username or the display name. */
  readonly search?: string | undefined
  readonly filter?: (typeof userFilters)[number] | undefined
  /** Only who did not sign in since then, if ever. */
  readonly notSeenSince?: UnixSeconds | undefined
  /** Only these; a thousand at most. */
  readonly ids?: readonly UserId[] | undefined
  readonly group?: string | undefined
  /** The username that the part before ended with. */
  readonly after?: string | undefined
  readonly limit: number
}

/** Users in the order of their canonical names; `more` when the list goes on after the last one. */
export async function listUsers(
  db: Db,
  selection: UserSelection,
): Promise<{ readonly users: readonly ListedUser[]; readonly more: boolean }> {
  if (selection.ids?.length === 0) return { users: [], more: false }
  const { limit } = selection
  // First who is shown, then the rest of each: looking for them reads the index of names and not whole users.
  const chosen = choose(db, selection).limit(limit + 1)
  const rows = await db
    .selectFrom('user')
    .leftJoin('password_hash', 'password_hash.user_id', 'user.id')
    .select([
      'user.id',
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
    .where('user.id', 'in', chosen)
    .orderBy('user.canonical_username')
    .execute()
  const users = rows.slice(0, limit).map((row) => ({
    id: row.id,
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

function choose(
  db: Db,
  { search, filter, notSeenSince, ids, group, after }: UserSelection,
): SelectQueryBuilder<Database, 'user', { id: UserId }> {
  let query = db.selectFrom('user').select('user.id')
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
  // Said as it stands in the index of superusers, for a value that is bound could be another.
  if (filter === 'superuser') query = query.where('user.is_superuser', '=', sql.lit<1>(1))
  if (filter === 'never-signed-in') query = query.where('user.last_sign_in_at', 'is', null)
  if (filter === 'no-second-factor') query = query.where((eb) => eb.not(eb.exists(usableDevice(eb))))
  if (notSeenSince !== undefined) {
    query = query.where((eb) =>
      eb.or([eb('user.last_sign_in_at', 'is', null), eb('user.last_sign_in_at', '<', notSeenSince)]),
    )
  }
  if (ids !== undefined) query = query.where('user.id', 'in', ids)
  if (group !== undefined) {
    query = query.where('user.id', 'in', (eb) =>
      eb.selectFrom('group_member').select('user_id').where('group_name', '=', group),
    )
  }
  const readsWholeUsers = notSeenSince !== undefined || filter === 'never-signed-in'
  return readsWholeUsers && isSqlite(db)
    ? query.orderBy(nameOutOfIndex)
    : query.orderBy('user.canonical_username')
}

/**
 * The name, in a form that no index has. Raw, for SQLite: in the order of the index it would fetch each user from
 * another place, which takes twenty times as long as reading all of them as they lie and sorting what fits. PostgreSQL
 * knows how many there are, and chooses by itself.
 */
const nameOutOfIndex = sql`${sql.ref('user.canonical_username')} || ''`

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
