import { type Kysely, SqliteAdapter, sql } from 'kysely'

/** App passwords, by which programs come in where nobody can be asked for a code. */
export async function up(db: Kysely<never>): Promise<void> {
  const { schema } = db
  const appPassword = schema
    .createTable('app_password')
    // In the order of secrets, because each request of a program looks one up.
    .addColumn('secret_hash', 'text', (c) => c.primaryKey())
    .addColumn('id', 'text', (c) => c.notNull().unique())
    .addColumn('user_id', 'text', (c) => c.notNull().references('user.id').onDelete('cascade'))
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('policies', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('last_used_at', 'bigint')
    .addColumn('last_used_address', 'text')
  const isSqlite = db.getExecutor().adapter instanceof SqliteAdapter
  await (isSqlite ? appPassword.modifyEnd(sql`without rowid`) : appPassword).execute()
  await schema.createIndex('app_password_expiry').on('app_password').column('expires_at').execute()
  await schema.createIndex('app_password_user').on('app_password').columns(['user_id', 'id']).execute()
}
