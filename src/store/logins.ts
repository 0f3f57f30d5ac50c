import type { AuthenticationMethod, Login } from '../domain/login.ts'
import { CLOCK_SKEW, type UnixSeconds } from '../domain/time.ts'
import type { TokenHash } from '../domain/token.ts'
import type { UserId } from '../domain/user.ts'
import type { Db } from './database.ts'

/** A login as it is stored, under the hash of the browser's token. */
export interface StoredLogin extends Login {
  readonly tokenHash: TokenHash
  readonly expiresAt: UnixSeconds
}

export async function insert(
  db: Db,
  login: Omit<StoredLogin, 'expiresAt'>,
  { now, expiresAt }: { now: UnixSeconds; expiresAt: UnixSeconds },
): Promise<void> {
  await db
    .insertInto('login')
    .values({
      token_hash: login.tokenHash,
      user_id: login.userId,
      amr: login.amr.join(' '),
      epoch: login.epoch,
      created_at: now,
      expires_at: expiresAt,
    })
    .execute()
}

/** The login of a token while it lasts; one that began in the future ended when the clock was set back. */
export async function findByToken(
  db: Db,
  tokenHash: TokenHash,
  now: UnixSeconds,
): Promise<StoredLogin | undefined> {
  const row = await db
    .selectFrom('login')
    .selectAll()
    .where('token_hash', '=', tokenHash)
    .where('expires_at', '>', now)
    .where('created_at', '<=', now + CLOCK_SKEW)
    .executeTakeFirst()
  return (
    row && {
      tokenHash,
      userId: row.user_id,
      amr: splitAmr(row.amr),
      epoch: row.epoch,
      expiresAt: row.expires_at,
    }
  )
}

/** Ends a login; of two requests that finish it one gets `false`. */
export async function take(db: Db, tokenHash: TokenHash): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('login')
    .where('token_hash', '=', tokenHash)
    .executeTakeFirstOrThrow()
  return numDeletedRows === 1n
}

export async function removeAll(db: Db, userId: UserId): Promise<void> {
  await db.deleteFrom('login').where('user_id', '=', userId).execute()
}

/** Removes some logins that have ended. */
export async function purge(db: Db, now: UnixSeconds, limit: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('login')
    .where('token_hash', 'in', (eb) =>
      eb.selectFrom('login').select('token_hash').where('expires_at', '<=', now).limit(limit),
    )
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}

/** Reads the methods back as they were joined. */
export function splitAmr(text: string): AuthenticationMethod[] {
  return text.split(' ') as AuthenticationMethod[]
}
