import { type CreateTableBuilder, type Kysely, SqliteAdapter, sql } from 'kysely'

/** What protected hosts need: their own cookie for a session, and the tickets by which a browser gets it. */
export async function up(db: Kysely<never>): Promise<void> {
  const { schema } = db
  const isSqlite = db.getExecutor().adapter instanceof SqliteAdapter
  const inOrderOfKey = <T extends string, C extends string>(table: CreateTableBuilder<T, C>) =>
    isSqlite ? table.modifyEnd(sql`without rowid`) : table

  const siteSession = schema
    .createTable('site_session')
    .addColumn('token_hash', 'text', (c) => c.primaryKey())
    .addColumn('session_id', 'text', (c) => c.notNull().references('session.id').onDelete('cascade'))
    .addColumn('host', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
  await inOrderOfKey(siteSession).execute()
  await schema.createIndex('site_session_session').on('site_session').column('session_id').execute()

  const ticket = schema
    .createTable('ticket')
    .addColumn('token_hash', 'text', (c) => c.primaryKey())
    .addColumn('session_id', 'text', (c) => c.notNull().references('session.id').onDelete('cascade'))
    .addColumn('host', 'text', (c) => c.notNull())
    .addColumn('state_hash', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
  await inOrderOfKey(ticket).execute()
  await schema.createIndex('ticket_session').on('ticket').column('session_id').execute()
  await schema.createIndex('ticket_expiry').on('ticket').column('expires_at').execute()
}
