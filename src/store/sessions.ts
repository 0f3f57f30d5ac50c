import { sql } from 'kysely'
import type { HeldSession, Session, SessionWithUser } from '../domain/session.ts'
import type { UnixSeconds } from '../domain/time.ts'
import type { TokenHash } from '../domain/token.ts'
import type { UserId } from '../domain/user.ts'
import type { Database, Db } from './database.ts'
import { joinedUser, joinedUserColumns } from './joined-user.ts'
import { splitAmr } from './logins.ts'
import { prepared } from './prepared.ts'
import { noteRevoked } from './revocations.ts'

const insertRow = prepared((db, row: Omit<Database['session'], 'admin_seen_at'>) =>
  db.insertInto('session').values({
    id: row.id,
    token_hash: row.token_hash,
    user_id: row.user_id,
    amr: row.amr,
    auth_time: row.auth_time,
    created_at: row.created_at,
    last_seen_at: row.last_seen_at,
    expires_at: row.expires_at,
    address: row.address,
    user_agent: row.user_agent,
    admin_seen_at: 0,
  }),
)

export async function insert(db: Db, session: Session & { readonly tokenHash: TokenHash }): Promise<void> {
  await insertRow(db, {
    id: session.id,
    token_hash: session.tokenHash,
    user_id: session.userId,
    amr: session.amr.join(' '),
    auth_time: session.authTime,
    created_at: session.createdAt,
    last_seen_at: session.lastSeenAt,
    expires_at: session.expiresAt,
    address: session.address,
    user_agent: session.userAgent,
  })
}

const columns = [
  'session.id',
  'session.user_id',
  'session.amr',
  'session.auth_time',
  'session.last_seen_at',
  'session.expires_at',
  ...joinedUserColumns,
] as const

const byToken = prepared((db, { tokenHash }: { tokenHash: TokenHash }) =>
  db
    .selectFrom('session')
    .innerJoin('user', 'user.id', 'session.user_id')
    .leftJoin('group_member', 'group_member.user_id', 'user.id')
    .where('session.token_hash', '=', tokenHash)
    .select(columns),
)

const bySiteToken = prepared((db, { tokenHash, host }: { tokenHash: TokenHash; host: string }) =>
  db
    .selectFrom('site_session')
    .innerJoin('session', 'session.id', 'site_session.session_id')
    .innerJoin('user', 'user.id', 'session.user_id')
    .leftJoin('group_member', 'group_member.user_id', 'user.id')
    .where('site_session.token_hash', '=', tokenHash)
    .where('site_session.host', '=', host)
    .select(columns),
)

/** The session of a token with its user; the caller decides whether it still holds. */
export async function findByToken(db: Db, tokenHash: TokenHash): Promise<SessionWithUser | undefined> {
  const { rows } = await byToken(db, { tokenHash })
  return withUser(rows)
}

/** The session behind the token that a protected host knows a browser by; the caller decides whether it holds. */
export async function findBySiteToken(
  db: Db,
  tokenHash: TokenHash,
  host: string,
): Promise<SessionWithUser | undefined> {
  const { rows } = await bySiteToken(db, { tokenHash, host })
  return withUser(rows)
}

type RowWithUser = Awaited<ReturnType<typeof byToken>>['rows'][number]

function withUser(rows: readonly RowWithUser[]): SessionWithUser | undefined {
  const found = joinedUser(rows)
  return found && { session: heldFromRow(found.row), user: found.user, groups: found.groups }
}

type HeldRow = Pick<
  Database['session'],
  'id' | 'user_id' | 'amr' | 'auth_time' | 'last_seen_at' | 'expires_at'
>

const heldFromRow = (row: HeldRow): HeldSession => ({
  id: row.id,
  userId: row.user_id,
  amr: splitAmr(row.amr),
  authTime: row.auth_time,
  lastSeenAt: row.last_seen_at,
  expiresAt: row.expires_at,
})

const fromRow = (row: Database['session']): Session => ({
  ...heldFromRow(row),
  createdAt: row.created_at,
  address: row.address,
  userAgent: row.user_agent,
})

/** The user's sessions, the latest first; ended ones may still be among them. */
export async function listOf(db: Db, userId: UserId): Promise<Session[]> {
  const rows = await db
    .selectFrom('session')
    .selectAll()
    .where('user_id', '=', userId)
    .orderBy('id', 'desc')
    .execute()
  return rows.map(fromRow)
}

/** Whether a session was not ended meanwhile. */
export async function exists(db: Db, id: string): Promise<boolean> {
  return (await db.selectFrom('session').select('id').where('id', '=', id).executeTakeFirst()) !== undefined
}

/** Whether a session was not ended meanwhile; it then stays until the transaction ends. */
export async function hold(tx: Db, id: string): Promise<boolean> {
  // Writing a row over itself locks it on PostgreSQL; on SQLite the transaction alone does that.
  const { numUpdatedRows } = await tx
    .updateTable('session')
    .set((eb) => ({ last_seen_at: eb.ref('last_seen_at') }))
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}

/** Whose session it is. */
export async function findOwner(db: Db, id: string): Promise<UserId | undefined> {
  const row = await db.selectFrom('session').select('user_id').where('id', '=', id).executeTakeFirst()
  return row?.user_id
}

/** Writes activity down. */
export async function touch(db: Db, id: string, now: UnixSeconds): Promise<void> {
  await db.updateTable('session').set({ last_seen_at: now }).where('id', '=', id).execute()
}

/** When a session was used for administration last, 0 for never; `undefined` when it was ended. */
export async function findAdminSeen(db: Db, id: string): Promise<UnixSeconds | undefined> {
  const row = await db.selectFrom('session').select('admin_seen_at').where('id', '=', id).executeTakeFirst()
  return row?.admin_seen_at
}

/** Writes down that a session is used for administration; `false` when it was ended meanwhile. */
export async function touchAdmin(db: Db, id: string, now: UnixSeconds): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('session')
    .set({ admin_seen_at: now })
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}

/** Ends one session of the user; `false` when it is not there or belongs to somebody else (SEC-AZ-2). */
export async function remove(db: Db, userId: UserId, id: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('session')
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()
  if (numDeletedRows > 0n) await noteRevoked(db, userId)
  return numDeletedRows === 1n
}

/** Ends the session of a token, which the browser is about to lose; gives whose it was. */
export async function takeByToken(
  db: Db,
  tokenHash: TokenHash,
): Promise<{ readonly id: string; readonly userId: UserId } | undefined> {
  const row = await db
    .deleteFrom('session')
    .where('token_hash', '=', tokenHash)
    .returning(['id', 'user_id'])
    .executeTakeFirst()
  if (row === undefined) return undefined
  await noteRevoked(db, row.user_id)
  return { id: row.id, userId: row.user_id }
}

/** Ends all sessions of the user, but the one to keep; gives how many. */
export async function removeAll(db: Db, userId: UserId, keepId?: string): Promise<number> {
  let query = db.deleteFrom('session').where('user_id', '=', userId)
  if (keepId !== undefined) query = query.where('id', '!=', keepId)
  const { numDeletedRows } = await query.executeTakeFirstOrThrow()
  if (numDeletedRows > 0n) await noteRevoked(db, userId)
  return Number(numDeletedRows)
}

const overLimit = prepared((db, { userId, limit }: { userId: UserId; limit: number }) =>
  db
    .selectFrom('session')
    .select('id')
    .where('user_id', '=', userId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    // SQLite knows OFFSET only after a LIMIT, and plans the query anew whenever one is bound.
    .limit(sql.lit(1000))
    .offset(limit),
)

/** Ends the user's oldest sessions beyond `limit`; gives their handles (SEC-SES-12). */
export async function removeOverLimit(db: Db, userId: UserId, limit: number): Promise<string[]> {
  const { rows } = await overLimit(db, { userId, limit })
  const ended: string[] = []
  for (const { id } of rows) if (await remove(db, userId, id)) ended.push(id)
  return ended
}

/**
 * Removes some sessions past their absolute end; those idle too long are refused at use and go then.
 *
 * Nobody's standing is revoked by it: no lease lasts longer than its session.
 */
export async function purge(db: Db, now: UnixSeconds, limit: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('session')
    .where('token_hash', 'in', (eb) =>
      eb.selectFrom('session').select('token_hash').where('expires_at', '<=', now).limit(limit),
    )
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}
