import type { CodeWindow, CredentialHash } from '../domain/code-window.ts'
import type { SessionUser } from '../domain/session.ts'
import type { UnixSeconds } from '../domain/time.ts'
import type { UserId } from '../domain/user.ts'
import type { Database, Db } from './database.ts'
import { joinedUser, joinedUserColumns } from './joined-user.ts'
import { prepared } from './prepared.ts'

/** Stores a window that begins now, for a credential that has none yet. */
export async function insert(
  db: Db,
  opened: Omit<CodeWindow, 'lastUsedAt'> & { readonly credentialHash: CredentialHash },
): Promise<void> {
  await db
    .insertInto('code_window')
    .values({
      id: opened.id,
      user_id: opened.userId,
      credential_hash: opened.credentialHash,
      policy: opened.policy,
      host: opened.host,
      address: opened.address,
      epoch: opened.epoch,
      created_at: opened.createdAt,
      expires_at: opened.expiresAt,
      ended_at: opened.endedAt ?? null,
      last_used_at: opened.createdAt,
    })
    .execute()
}

/** A window with its user, as they are now. */
export interface CodeWindowWithUser {
  readonly window: CodeWindow
  readonly user: SessionUser
  readonly groups: readonly string[]
}

const byCredential = prepared((db, { credentialHash }: { credentialHash: CredentialHash }) =>
  db
    .selectFrom('code_window')
    .innerJoin('user', 'user.id', 'code_window.user_id')
    .leftJoin('group_member', 'group_member.user_id', 'user.id')
    .where('code_window.credential_hash', '=', credentialHash)
    .select([
      'code_window.id',
      'code_window.user_id',
      'code_window.policy',
      'code_window.host',
      'code_window.address',
      'code_window.epoch as window_epoch',
      'code_window.created_at',
      'code_window.expires_at',
      'code_window.ended_at',
      'code_window.last_used_at',
      ...joinedUserColumns,
    ]),
)

/** The window of a credential with its user; the caller decides whether it still opens anything. */
export async function findByCredential(
  db: Db,
  credentialHash: CredentialHash,
): Promise<CodeWindowWithUser | undefined> {
  const { rows } = await byCredential(db, { credentialHash })
  const found = joinedUser(rows)
  if (found === undefined) return undefined
  const { row, user, groups } = found
  return { window: fromRow({ ...row, epoch: row.window_epoch }), user, groups }
}

type Row = Omit<Database['code_window'], 'credential_hash'>

const fromRow = (row: Row): CodeWindow => ({
  id: row.id,
  userId: row.user_id,
  policy: row.policy,
  host: row.host,
  address: row.address,
  epoch: row.epoch,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  endedAt: row.ended_at ?? undefined,
  lastUsedAt: row.last_used_at,
})

/** The user's windows that still open something, oldest first. */
export async function listOpen(db: Db, userId: UserId, now: UnixSeconds): Promise<CodeWindow[]> {
  const rows = await db
    .selectFrom('code_window')
    .innerJoin('user', (join) =>
      join.onRef('user.id', '=', 'code_window.user_id').onRef('user.epoch', '=', 'code_window.epoch'),
    )
    .selectAll('code_window')
    .where('code_window.user_id', '=', userId)
    .where('code_window.ended_at', 'is', null)
    .where('code_window.expires_at', '>', now)
    .orderBy('code_window.id')
    .execute()
  return rows.map(fromRow)
}

/** Whose window it is. */
export async function findOwner(db: Db, id: string): Promise<UserId | undefined> {
  const row = await db.selectFrom('code_window').select('user_id').where('id', '=', id).executeTakeFirst()
  return row?.user_id
}

const updateUse = prepared((db, { id, now, before }: UseParameters) =>
  db
    .updateTable('code_window')
    .set({ last_used_at: now })
    .where('id', '=', id)
    .where((eb) =>
      eb.or([
        eb('last_used_at', '<=', before),
        // A clock that went back would otherwise stop the record for as long as it went.
        eb('last_used_at', '>', now),
      ]),
    ),
)

interface UseParameters {
  readonly id: string
  readonly now: UnixSeconds
  readonly before: UnixSeconds
}

/** Writes a use down, unless one after `before` is written down already: of many at once one writes. */
export async function touch(db: Db, id: string, use: Omit<UseParameters, 'id'>): Promise<void> {
  await updateUse(db, { id, ...use })
}

/**
 * Ends one of the user's that was not over; gives its policy, or `undefined` when there is none of theirs by this id
 * (SEC-AZ-2). It is kept: what comes with its credential is told from a guess by it.
 */
export async function end(
  db: Db,
  userId: UserId,
  { id, now }: { readonly id: string; readonly now: UnixSeconds },
): Promise<string | undefined> {
  const row = await db
    .updateTable('code_window')
    .set({ ended_at: now })
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .where('ended_at', 'is', null)
    .where('expires_at', '>', now)
    .returning('policy')
    .executeTakeFirst()
  return row?.policy
}

/** Ends all of the user's. */
export async function endAll(db: Db, userId: UserId, now: UnixSeconds): Promise<void> {
  await db
    .updateTable('code_window')
    .set({ ended_at: now })
    .where('user_id', '=', userId)
    .where('ended_at', 'is', null)
    .execute()
}

/** Ends the oldest until `limit` are left. */
export async function endOverLimit(
  db: Db,
  userId: UserId,
  { limit, now }: { readonly limit: number; readonly now: UnixSeconds },
): Promise<void> {
  await db
    .updateTable('code_window')
    .set({ ended_at: now })
    .where('user_id', '=', userId)
    .where('ended_at', 'is', null)
    .where('id', 'not in', (eb) =>
      eb
        .selectFrom('code_window')
        .select('id')
        .where('user_id', '=', userId)
        .where('ended_at', 'is', null)
        .where('expires_at', '>', now)
        .orderBy('id', 'desc')
        .limit(limit),
    )
    .execute()
}

/** Removes some whose time was over at `before` or earlier. */
export async function purge(db: Db, before: UnixSeconds, limit: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('code_window')
    .where('id', 'in', (eb) =>
      eb.selectFrom('code_window').select('id').where('expires_at', '<=', before).limit(limit),
    )
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}
