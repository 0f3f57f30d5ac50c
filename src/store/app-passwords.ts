import type { AppPassword, AppSecretHash } from '../domain/app-password.ts'
import type { SessionUser } from '../domain/session.ts'
import type { UnixSeconds } from '../domain/time.ts'
import type { UserId } from '../domain/user.ts'
import type { Database, Db } from './database.ts'
import { joinedUser, joinedUserColumns } from './joined-user.ts'
import { prepared } from './prepared.ts'

/** Stores an app password that was just made. */
export async function insert(
  db: Db,
  made: Omit<AppPassword, 'lastUsedAt' | 'lastUsedAddress'> & { readonly secretHash: AppSecretHash },
): Promise<void> {
  await db
    .insertInto('app_password')
    .values({
      id: made.id,
      user_id: made.userId,
      secret_hash: made.secretHash,
      name: made.name,
      policies: made.policies.join(' '),
      created_at: made.createdAt,
      expires_at: made.expiresAt ?? null,
      last_used_at: null,
      last_used_address: null,
    })
    .execute()
}

/** An app password with its user, as they are now. */
export interface AppPasswordWithUser {
  readonly appPassword: AppPassword
  readonly user: SessionUser
  readonly groups: readonly string[]
}

const bySecret = prepared((db, { secretHash }: { secretHash: AppSecretHash }) =>
  db
    .selectFrom('app_password')
    .innerJoin('user', 'user.id', 'app_password.user_id')
    .leftJoin('group_member', 'group_member.user_id', 'user.id')
    .where('app_password.secret_hash', '=', secretHash)
    .select([
      'app_password.id',
      'app_password.user_id',
      'app_password.name',
      'app_password.policies',
      'app_password.created_at',
      'app_password.expires_at',
      'app_password.last_used_at',
      'app_password.last_used_address',
      ...joinedUserColumns,
    ]),
)

/** The app password of a secret with its user; the caller decides whether it still opens anything. */
export async function findBySecret(
  db: Db,
  secretHash: AppSecretHash,
): Promise<AppPasswordWithUser | undefined> {
  const { rows } = await bySecret(db, { secretHash })
  const found = joinedUser(rows)
  if (found === undefined) return undefined
  const { row, user, groups } = found
  return { appPassword: fromRow(row), user, groups }
}

type Row = Omit<Database['app_password'], 'secret_hash'>

const fromRow = (row: Row): AppPassword => ({
  id: row.id,
  userId: row.user_id,
  name: row.name,
  policies: row.policies.split(' '),
  createdAt: row.created_at,
  expiresAt: row.expires_at ?? undefined,
  lastUsedAt: row.last_used_at ?? undefined,
  lastUsedAddress: row.last_used_address ?? undefined,
})

/** The user's app passwords, oldest first; those that have ended stay among them until they are revoked. */
export async function listOf(db: Db, userId: UserId): Promise<AppPassword[]> {
  const rows = await db
    .selectFrom('app_password')
    .selectAll()
    .where('user_id', '=', userId)
    .orderBy('id')
    .execute()
  return rows.map(fromRow)
}

/** How many the user has, those that have ended among them. */
export async function count(db: Db, userId: UserId): Promise<number> {
  const { has } = await db
    .selectFrom('app_password')
    .select((eb) => eb.fn.countAll<number>().as('has'))
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()
  return Number(has)
}

/** Whose app password it is. */
export async function findOwner(db: Db, id: string): Promise<UserId | undefined> {
  const row = await db.selectFrom('app_password').select('user_id').where('id', '=', id).executeTakeFirst()
  return row?.user_id
}

const updateUse = prepared((db, { id, now, address, before }: UseParameters) =>
  db
    .updateTable('app_password')
    .set({ last_used_at: now, last_used_address: address })
    .where('id', '=', id)
    .where((eb) =>
      eb.or([
        eb('last_used_at', 'is', null),
        eb('last_used_at', '<=', before),
        // A clock that went back would otherwise stop the record for as long as it went.
        eb('last_used_at', '>', now),
      ]),
    ),
)

interface UseParameters {
  readonly id: string
  readonly now: UnixSeconds
  readonly address: string
  readonly before: UnixSeconds
}

/** Writes a use down, unless one after `before` is written down already: of many at once one writes. */
export async function touch(db: Db, id: string, use: Omit<UseParameters, 'id'>): Promise<void> {
  await updateUse(db, { id, ...use })
}

/** Revokes one of the user's; gives its name, or `undefined` when there is none of theirs by this id (SEC-AZ-2). */
export async function remove(db: Db, userId: UserId, id: string): Promise<string | undefined> {
  const row = await db
    .deleteFrom('app_password')
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .returning('name')
    .executeTakeFirst()
  return row?.name
}

/** Revokes all of the user's. */
export async function removeAll(db: Db, userId: UserId): Promise<void> {
  await db.deleteFrom('app_password').where('user_id', '=', userId).execute()
}

/** Removes some that ended at `before` or earlier. */
export async function purge(db: Db, before: UnixSeconds, limit: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('app_password')
    .where('id', 'in', (eb) =>
      eb.selectFrom('app_password').select('id').where('expires_at', '<=', before).limit(limit),
    )
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}
