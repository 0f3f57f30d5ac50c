import { type CreateTableBuilder, type Kysely, SqliteAdapter, sql } from 'kysely'

/** What pages need: invitations, requests to reset a factor, and indexes for what administrators look for. */
export async function up(db: Kysely<never>): Promise<void> {
  const { schema } = db
  const isSqlite = db.getExecutor().adapter instanceof SqliteAdapter
  const inOrderOfKey = <T extends string, C extends string>(table: CreateTableBuilder<T, C>) =>
    isSqlite ? table.modifyEnd(sql`without rowid`) : table

  await schema.alterTable('otp_device').addColumn('begun_by', 'text').execute()
  await schema
    .alterTable('session')
    .addColumn('admin_seen_at', 'bigint', (c) => c.notNull().defaultTo(0))
    .execute()

  const invitation = schema
    .createTable('invitation')
    .addColumn('token_hash', 'text', (c) => c.primaryKey())
    .addColumn('purpose', 'text', (c) => c.notNull())
    .addColumn('user_id', 'text', (c) => c.references('user.id').onDelete('cascade'))
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
  await inOrderOfKey(invitation).execute()
  await schema.createIndex('invitation_user').on('invitation').column('user_id').execute()
  await schema.createIndex('invitation_expiry').on('invitation').column('expires_at').execute()

  const resetRequest = schema
    .createTable('reset_request')
    .addColumn('user_id', 'text', (c) => c.primaryKey().references('user.id').onDelete('cascade'))
    // No reference: deleting who asked must not wait for the row while its holder waits for the user.
    .addColumn('requested_by', 'text', (c) => c.notNull())
    .addColumn('requested_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
  await inOrderOfKey(resetRequest).execute()
  await schema.createIndex('reset_request_expiry').on('reset_request').column('expires_at').execute()

  // Searched by part of a name: SQLite reads through the names alone, and not through whole users.
  await schema.createIndex('user_names').on('user').columns(['canonical_username', 'display_name']).execute()
  await schema
    .createIndex('otp_device_usable')
    .on('otp_device')
    .column('user_id')
    .where(sql.ref('confirmed_at'), 'is not', null)
    .where(sql.ref('disabled_at'), 'is', null)
    .execute()
  // Both with the order of the audit log, so that a search reads what it shows and no more.
  const auditIndex = schema.createIndex('audit_event_name').on('audit_event')
  await auditIndex.columns(['event', 'at', 'id']).execute()
  const addressIndex = schema.createIndex('audit_event_address').on('audit_event')
  await addressIndex.columns(['address', 'at', 'id']).execute()
}
