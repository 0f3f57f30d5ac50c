import { sql } from 'kysely'
import { makeMonthsOf } from '../audit-months.ts'
import type { Db } from '../database.ts'
import type { Value } from './snapshot.ts'

/** Most values in one statement: SQLite takes 32,766, PostgreSQL twice as many. */
const VALUES_MAXIMUM = 30_000

/** Writes rows as they are into a table, inside the caller's transaction. */
export async function loadRows(
  tx: Db,
  { name, columns }: { readonly name: string; readonly columns: readonly string[] },
  rows: readonly (readonly Value[])[],
): Promise<void> {
  const at = name === 'audit_event' ? columns.indexOf('at') : -1
  if (at >= 0) await makeMonthsOf(tx, [...new Set(rows.map((row) => Number(row[at])))])
  const size = Math.max(1, Math.floor(VALUES_MAXIMUM / columns.length))
  for (let from = 0; from < rows.length; from += size) {
    const values = rows.slice(from, from + size).map((row) => sql`(${sql.join(row)})`)
    await sql`insert into ${sql.table(name)} (${sql.join(columns.map((column) => sql.ref(column)))})
      values ${sql.join(values)}`.execute(tx)
  }
}

/** What a server that was started once and never used has written. */
const OF_A_START = ['installation', 'invitation', 'attempts', 'audit_event', 'signing_key'] as const

/** Whether a database has somebody's rows; one without tables has none. */
export async function hasUsers(db: Db): Promise<boolean> {
  const tables = await db.introspection.getTables()
  if (!tables.some(({ name }) => name === 'user')) return false
  return (await db.selectFrom('user').select('id').limit(1).executeTakeFirst()) !== undefined
}

/** Makes room for rows that come from elsewhere; `false` when somebody's are there. */
export async function emptyForLoading(tx: Db): Promise<boolean> {
  if (await hasUsers(tx)) return false
  const there = await tx.introspection.getTables()
  for (const name of OF_A_START) {
    if (there.some((table) => table.name === name)) await tx.deleteFrom(name).execute()
  }
  return true
}
