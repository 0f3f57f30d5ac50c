import type { Attempts } from '../../domain/throttle.ts'
import type { Db } from '../database.ts'

/** What is charged under each of the keys, to look at; nothing is held or changed. */
export async function readAttempts(db: Db, keys: readonly string[]): Promise<ReadonlyMap<string, Attempts>> {
  const rows = await db
    .selectFrom('attempts')
    .select(['key', 'count', 'since', 'blocked_until'])
    .where('key', 'in', keys)
    .execute()
  return new Map(
    rows.map((row) => [row.key, { count: row.count, since: row.since, blockedUntil: row.blocked_until }]),
  )
}
