import { type DialectAdapter, SqliteAdapter } from 'kysely'

/** Whether a database, or a transaction on it, is of SQLite; the other engine is PostgreSQL. */
export const isSqlite = (db: { getExecutor(): { readonly adapter: DialectAdapter } }): boolean =>
  db.getExecutor().adapter instanceof SqliteAdapter
