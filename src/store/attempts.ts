import type { Attempts } from '../domain/throttle.ts'
import type { UnixSeconds } from '../domain/time.ts'
import type { Db } from './database.ts'

/**
 * Reads what was charged under each key and holds the rows until the transaction ends.
 *
 * Writing a row over itself locks it on PostgreSQL, where others wait and then see what this transaction wrote;
 * on SQLite the transaction alone does that. Keys must come in the same order everywhere.
 */
export async function hold(tx: Db, keys: readonly string[]): Promise<ReadonlyMap<string, Attempts>> {
  const rows = await tx
    .insertInto('attempts')
    .values(keys.map((key) => ({ key, count: 0, since: 0, blocked_until: 0 })))
    .onConflict((oc) => oc.column('key').doUpdateSet((eb) => ({ count: eb.ref('attempts.count') })))
    .returning(['key', 'count', 'since', 'blocked_until'])
    .execute()
  return new Map(
    rows.map((row) => [row.key, { count: row.count, since: row.since, blockedUntil: row.blocked_until }]),
  )
}

/** Stores what is charged under a key now. */
export async function put(tx: Db, charged: ReadonlyMap<string, Attempts>): Promise<void> {
  await tx
    .insertInto('attempts')
    .values(
      [...charged].map(([key, { count, since, blockedUntil }]) => ({
        key,
        count,
        since,
        blocked_until: blockedUntil,
      })),
    )
    .onConflict((oc) =>
      oc.column('key').doUpdateSet((eb) => ({
        count: eb.ref('excluded.count'),
        since: eb.ref('excluded.since'),
        blocked_until: eb.ref('excluded.blocked_until'),
      })),
    )
    .execute()
}

/** Forgets what was charged under the keys. */
export async function clear(db: Db, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return
  await db.deleteFrom('attempts').where('key', 'in', keys).execute()
}

/** Removes some rows that no rule looks at any more; keys with the prefix are kept, for they are never forgotten. */
export async function purge(
  db: Db,
  { before, keptPrefix, limit }: { before: UnixSeconds; keptPrefix: string; limit: number },
): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('attempts')
    .where('key', 'in', (eb) =>
      eb
        .selectFrom('attempts')
        .select('key')
        .where('since', '<', before)
        .where('blocked_until', '<', before)
        .where((inner) => inner.not(inner('key', 'like', `${keptPrefix}%`)))
        .limit(limit),
    )
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}
