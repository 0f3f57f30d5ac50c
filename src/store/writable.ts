import { sql } from 'kysely'
import type { Db } from './database.ts'
import { isSqlite } from './engine.ts'
import { sqlStateOf, sqlStates } from './sql-state.ts'

/** Whether the database takes changes: PostgreSQL that follows another, or that is set to be read only, takes none. */
export async function isWritable(db: Db): Promise<boolean> {
  // A file of SQLite that cannot be written fails to open.
  if (isSqlite(db)) return true
  try {
    // Refused as a change would be, so that the connection is let go, and the next one may lead to the primary.
    await sql`do $$ begin
      if current_setting('transaction_read_only') = 'on' then raise read_only_sql_transaction; end if;
    end $$`.execute(db)
    return true
  } catch (error) {
    if (sqlStateOf(error) === sqlStates.readOnlyTransaction) return false
    throw error
  }
}
