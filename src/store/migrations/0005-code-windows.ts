import { type Kysely, SqliteAdapter, sql } from 'kysely'

/** Windows that a password and code in one field opened, for programs. */
export async function up(db: Kysely<never>): Promise<void> {
  const { schema } = db
  const codeWindow = schema
    .createTable('code_window')
    // In the order of credentials, because each request of a program looks one up.
    .addColumn('credential_hash', 'text', (c) => c.primaryKey())
    .addColumn('id', 'text', (c) => c.notNull().unique())
    .addColumn('user_id', 'text', (c) => c.notNull().references('user.id').onDelete('cascade'))
    .addColumn('policy', 'text', (c) => c.notNull())
    .addColumn('host', 'text', (c) => c.notNull())
    .addColumn('address', 'text', (c) => c.notNull())
    .addColumn('epoch', 'bigint', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addColumn('ended_at', 'bigint')
    .addColumn('last_used_at', 'bigint', (c) => c.notNull())
  const isSqlite = db.getExecutor().adapter instanceof SqliteAdapter
  await (isSqlite ? codeWindow.modifyEnd(sql`without rowid`) : codeWindow).execute()
  await schema.createIndex('code_window_expiry').on('code_window').column('expires_at').execute()
  await schema.createIndex('code_window_user').on('code_window').columns(['user_id', 'id']).execute()
}
