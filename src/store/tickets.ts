import { CLOCK_SKEW, type UnixSeconds } from '../domain/time.ts'
import type { TokenHash } from '../domain/token.ts'
import type { Db } from './database.ts'

/** Who may take a ticket: the browser that waits with this state, on this host. */
export interface TicketBinding {
  /** The origin of the protected host. */
  readonly host: string
  readonly stateHash: TokenHash
}

/** Keeps a ticket in place of an earlier one of the same session for the same host. */
export async function replace(
  db: Db,
  ticket: TicketBinding & {
    readonly tokenHash: TokenHash
    readonly sessionId: string
    readonly now: UnixSeconds
    readonly expiresAt: UnixSeconds
  },
): Promise<void> {
  const { tokenHash, sessionId, host, stateHash, now, expiresAt } = ticket
  await db.deleteFrom('ticket').where('session_id', '=', sessionId).where('host', '=', host).execute()
  await db
    .insertInto('ticket')
    .values({
      token_hash: tokenHash,
      session_id: sessionId,
      host,
      state_hash: stateHash,
      created_at: now,
      expires_at: expiresAt,
    })
    .execute()
}

/** The session that a ticket is for, whoever may take it. */
export async function findSession(db: Db, tokenHash: TokenHash): Promise<string | undefined> {
  const row = await db
    .selectFrom('ticket')
    .select('session_id')
    .where('token_hash', '=', tokenHash)
    .executeTakeFirst()
  return row?.session_id
}

/** Takes a ticket, once: gives the session it is for, or `undefined` to whoever may not have it or comes late. */
export async function take(
  db: Db,
  tokenHash: TokenHash,
  { host, stateHash, now }: TicketBinding & { readonly now: UnixSeconds },
): Promise<string | undefined> {
  const row = await db
    .deleteFrom('ticket')
    .where('token_hash', '=', tokenHash)
    .where('host', '=', host)
    .where('state_hash', '=', stateHash)
    .where('expires_at', '>', now)
    // One that began in the future ended when the clock was set back.
    .where('created_at', '<=', now + CLOCK_SKEW)
    .returning('session_id')
    .executeTakeFirst()
  return row?.session_id
}

/** Removes some tickets that nobody took in time. */
export async function purge(db: Db, now: UnixSeconds, limit: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('ticket')
    .where('token_hash', 'in', (eb) =>
      eb.selectFrom('ticket').select('token_hash').where('expires_at', '<=', now).limit(limit),
    )
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}
