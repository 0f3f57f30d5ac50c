import type { Attempts } from '../domain/throttle.ts'
import type { Db } from './database.ts'
import { isSqlite } from './engine.ts'
import { prepared } from './prepared.ts'

const indexes = (size: number) => Array.from({ length: size }, (_, index) => index)
const text = (marks: Values, index: number) => marks[index] as string
const number = (marks: Values, index: number) => marks[index] as number

/**
 * Reads what was charged under each key and holds the rows until the transaction ends.
 *
 * Writing a row over itself locks it on PostgreSQL, where others wait and then see what this transaction wrote;
 * on SQLite the transaction alone does that. Keys must come in the same order everywhere.
 */
export async function hold(tx: Db, keys: readonly string[]): Promise<ReadonlyMap<string, Attempts>> {
  const query = isSqlite(tx) ? readRows : holdRows
  const { rows } = await query(keys.length)(tx, keys)
  const held = new Map<string, Attempts>(keys.map((key) => [key, { count: 0, since: 0, blockedUntil: 0 }]))
  for (const row of rows) {
    held.set(row.key, { count: row.count, since: row.since, blockedUntil: row.blocked_until })
  }
  return held
}

const readRows = ofSize((size) =>
  prepared((tx, marks: Values) =>
    tx
      .selectFrom('attempts')
      .select(['key', 'count', 'since', 'blocked_until'])
      .where(
        'key',
        'in',
        indexes(size).map((i) => text(marks, i)),
      ),
  ),
)

const holdRows = ofSize((size) =>
  prepared((tx, marks: Values) =>
    tx
      .insertInto('attempts')
      .values(indexes(size).map((i) => ({ key: text(marks, i), count: 0, since: 0, blocked_until: 0 })))
      .onConflict((oc) => oc.column('key').doUpdateSet((eb) => ({ count: eb.ref('attempts.count') })))
      .returning(['key', 'count', 'since', 'blocked_until']),
  ),
)

/** Stores what is charged under keys that are held. */
export async function put(tx: Db, charged: ReadonlyMap<string, Attempts>): Promise<void> {
  if (charged.size === 0) return
  const values = [...charged].flatMap(([key, row]) => [key, row.count, row.since, row.blockedUntil])
  await putRows(charged.size)(tx, values)
}

const putRows = ofSize((size) =>
  prepared((tx, marks: Values) =>
    tx
      .insertInto('attempts')
      .values(
        indexes(size).map((i) => ({
          key: text(marks, 4 * i),
          count: number(marks, 4 * i + 1),
          since: number(marks, 4 * i + 2),
          blocked_until: number(marks, 4 * i + 3),
        })),
      )
      .onConflict((oc) =>
        oc.column('key').doUpdateSet((eb) => ({
          count: eb.ref('excluded.count'),
          since: eb.ref('excluded.since'),
          blocked_until: eb.ref('excluded.blocked_until'),
        })),
      ),
  ),
)

/** Ends the waits under the keys; what was charged stays, so that the next failure waits longer. */
export async function lift(db: Db, keys: readonly string[]): Promise<void> {
  // One by one, in the order of locks: one statement for all of them would lock the rows as they happen to lie.
  for (const key of keys) {
    await db.updateTable('attempts').set({ blocked_until: 0 }).where('key', '=', key).execute()
  }
}

/** Forgets what was charged under the keys. */
export async function clear(db: Db, keys: readonly string[]): Promise<void> {
  for (const key of keys) await deleteOne(db, { key })
}

/** Forgets what was charged under keys that are held; for what was never charged SQLite has no row to remove. */
export async function clearHeld(tx: Db, held: ReadonlyMap<string, Attempts>): Promise<void> {
  const hasRow = isSqlite(tx) ? ({ count, since }: Attempts) => count > 0 || since > 0 : () => true
  await clear(
    tx,
    [...held].filter(([, charged]) => hasRow(charged)).map(([key]) => key),
  )
}

const deleteOne = prepared((db, { key }: { key: string }) => db.deleteFrom('attempts').where('key', '=', key))

/** Parameters of a query over several rows: the columns of the first one, then those of the next. */
type Values = readonly (string | number)[]

/** One prepared query for each number of rows; there are only a few. */
function ofSize<Query>(build: (size: number) => Query): (size: number) => Query {
  const known = new Map<number, Query>()
  return (size) => {
    const query = known.get(size) ?? build(size)
    known.set(size, query)
    return query
  }
}

/** Some rows after a key, in order. */
export async function list(
  db: Db,
  afterKey: string,
  limit: number,
): Promise<(Attempts & { readonly key: string })[]> {
  const rows = await db
    .selectFrom('attempts')
    .selectAll()
    .where('key', '>', afterKey)
    .orderBy('key')
    .limit(limit)
    .execute()
  return rows.map(({ blocked_until: blockedUntil, ...row }) => ({ ...row, blockedUntil }))
}

/** Removes a row unless something was charged to it meanwhile. */
export async function removeUnchanged(db: Db, row: { readonly key: string } & Attempts): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('attempts')
    .where('key', '=', row.key)
    .where('since', '=', row.since)
    .where('count', '=', row.count)
    .executeTakeFirstOrThrow()
  return numDeletedRows === 1n
}
