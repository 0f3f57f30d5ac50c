import { SqliteAdapter, sql } from 'kysely'
import { StorageFault } from '../domain/faults.ts'
import type { Db } from './database.ts'

/** Whether the database takes changes: PostgreSQL that follows another, or that is set to be read only, takes none. */
export async function isWritable(db: Db): Promise<boolean> {
  // A file of SQLite that cannot be written fails to open.
  if (db.getExecutor().adapter instanceof SqliteAdapter) return true
  try {
    // Refused as a change would be, so that the connection is let go, and the next one may lead to the primary.
    await sql`do $$ begin
      if current_setting('transaction_read_only') = 'on' then raise read_only_sql_transaction; end if;
    end $$`.execute(db)
    return true
  } catch (error) {
    if (error instanceof StorageFault && isReadOnly(error.cause)) return false
    throw error
  }
}

const isReadOnly = (cause: unknown): boolean =>
  cause instanceof Error && 'code' in cause && cause.code === '25006'
