import { SqliteAdapter, sql } from 'kysely'
import type { Db } from './database.ts'

/** Whether the database takes changes: PostgreSQL that follows another, or that is set to be read only, takes none. */
export async function isWritable(db: Db): Promise<boolean> {
  // A file of SQLite that cannot be written fails to open.
  if (db.getExecutor().adapter instanceof SqliteAdapter) return true
  const { rows } = await sql<{
    state: string
  }>`select current_setting('transaction_read_only') as state`.execute(db)
  return rows[0]?.state === 'off'
}
