import { type CreateTableBuilder, type Kysely, SqliteAdapter, sql } from 'kysely'

/** Users, their factors, sign-ins under way, sessions, attempts and the audit log. */
export async function up(db: Kysely<never>): Promise<void> {
  const { schema } = db
  const isSqlite = db.getExecutor().adapter instanceof SqliteAdapter
  /** SQLite keeps such a table in the order of its key, and not once more beside it: half the pages to write. */
  const inOrderOfKey = <T extends string, C extends string>(table: CreateTableBuilder<T, C>) =>
    isSqlite ? table.modifyEnd(sql`without rowid`) : table

  await schema
    .createTable('installation')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('key_fingerprint', 'text', (c) => c.notNull())
    .execute()

  const user = schema
    .createTable('user')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('username', 'text', (c) => c.notNull())
    .addColumn('canonical_username', 'text', (c) => c.notNull().unique())
    .addColumn('display_name', 'text', (c) => c.notNull())
    .addColumn('is_superuser', 'integer', (c) => c.notNull())
    .addColumn('has_second_factor', 'integer', (c) => c.notNull())
    .addColumn('epoch', 'bigint', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('disabled_at', 'bigint')
    .addColumn('last_sign_in_at', 'bigint')
  await inOrderOfKey(user).execute()

  const passwordHash = schema
    .createTable('password_hash')
    .addColumn('user_id', 'text', (c) => c.primaryKey().references('user.id').onDelete('cascade'))
    .addColumn('hash', 'text', (c) => c.notNull())
    .addColumn('changed_at', 'bigint', (c) => c.notNull())
    .addColumn('must_change', 'integer', (c) => c.notNull())
  await inOrderOfKey(passwordHash).execute()

  await schema
    .createTable('otp_device')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('user_id', 'text', (c) => c.notNull().references('user.id').onDelete('cascade'))
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('sealed_key', 'text', (c) => c.notNull())
    .addColumn('algorithm', 'text', (c) => c.notNull())
    .addColumn('digits', 'integer', (c) => c.notNull())
    .addColumn('period', 'bigint', (c) => c.notNull())
    .addColumn('t0', 'bigint', (c) => c.notNull())
    .addColumn('drift', 'bigint', (c) => c.notNull())
    .addColumn('last_used_step', 'bigint', (c) => c.notNull())
    .addColumn('counter', 'bigint', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('confirmed_at', 'bigint')
    .addColumn('expires_at', 'bigint')
    .addColumn('disabled_at', 'bigint')
    .addColumn('last_used_at', 'bigint')
    .execute()
  await schema.createIndex('otp_device_user').on('otp_device').column('user_id').execute()
  await schema
    .createIndex('otp_device_pending')
    .unique()
    .on('otp_device')
    .column('user_id')
    .where(sql.ref('confirmed_at'), 'is', null)
    .execute()
  await schema.createIndex('otp_device_expiry').on('otp_device').column('expires_at').execute()

  const recoveryCode = schema
    .createTable('recovery_code')
    .addColumn('user_id', 'text', (c) => c.notNull().references('user.id').onDelete('cascade'))
    .addColumn('code_index', 'integer', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint')
    .addPrimaryKeyConstraint('recovery_code_pk', ['user_id', 'code_index'])
  await inOrderOfKey(recoveryCode).execute()

  await schema
    .createTable('user_group')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute()
  const groupMember = schema
    .createTable('group_member')
    .addColumn('group_name', 'text', (c) => c.notNull().references('user_group.name').onDelete('cascade'))
    .addColumn('user_id', 'text', (c) => c.notNull().references('user.id').onDelete('cascade'))
    .addPrimaryKeyConstraint('group_member_pk', ['user_id', 'group_name'])
  await inOrderOfKey(groupMember).execute()
  await schema.createIndex('group_member_group').on('group_member').column('group_name').execute()

  const login = schema
    .createTable('login')
    .addColumn('token_hash', 'text', (c) => c.primaryKey())
    .addColumn('user_id', 'text', (c) => c.notNull().references('user.id').onDelete('cascade'))
    .addColumn('amr', 'text', (c) => c.notNull())
    .addColumn('epoch', 'bigint', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
  await inOrderOfKey(login).execute()
  await schema.createIndex('login_user').on('login').column('user_id').execute()
  await schema.createIndex('login_expiry').on('login').column('expires_at').execute()

  // In the order of tokens, because each request looks one up.
  const session = schema
    .createTable('session')
    .addColumn('token_hash', 'text', (c) => c.primaryKey())
    .addColumn('id', 'text', (c) => c.notNull().unique())
    .addColumn('user_id', 'text', (c) => c.notNull().references('user.id').onDelete('cascade'))
    .addColumn('amr', 'text', (c) => c.notNull())
    .addColumn('auth_time', 'bigint', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('last_seen_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addColumn('address', 'text', (c) => c.notNull())
    .addColumn('user_agent', 'text', (c) => c.notNull())
  await inOrderOfKey(session).execute()
  await schema.createIndex('session_user').on('session').column('user_id').execute()
  await schema.createIndex('session_expiry').on('session').column('expires_at').execute()

  const knownBrowser = schema
    .createTable('known_browser')
    .addColumn('token_hash', 'text', (c) => c.primaryKey())
    .addColumn('user_id', 'text', (c) => c.notNull().references('user.id').onDelete('cascade'))
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('last_used_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
  await inOrderOfKey(knownBrowser).execute()
  await schema.createIndex('known_browser_user').on('known_browser').column('user_id').execute()
  await schema.createIndex('known_browser_expiry').on('known_browser').column('expires_at').execute()

  const attempts = schema
    .createTable('attempts')
    .addColumn('key', 'text', (c) => c.primaryKey())
    .addColumn('count', 'bigint', (c) => c.notNull())
    .addColumn('since', 'bigint', (c) => c.notNull())
    .addColumn('blocked_until', 'bigint', (c) => c.notNull())
  await inOrderOfKey(attempts).execute()

  const auditEvent = schema
    .createTable('audit_event')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('event', 'text', (c) => c.notNull())
    .addColumn('outcome', 'text', (c) => c.notNull())
    .addColumn('actor_kind', 'text', (c) => c.notNull())
    .addColumn('actor_id', 'text')
    .addColumn('user_id', 'text')
    .addColumn('address', 'text')
    .addColumn('user_agent', 'text')
    .addColumn('request_id', 'text')
    .addColumn('fields', 'text', (c) => c.notNull())
  await inOrderOfKey(auditEvent).execute()
  await schema.createIndex('audit_event_at').on('audit_event').columns(['at', 'id']).execute()
  await schema.createIndex('audit_event_user').on('audit_event').columns(['user_id', 'at']).execute()
}
