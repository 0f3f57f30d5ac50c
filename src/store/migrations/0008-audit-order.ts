import { type Kysely, SqliteAdapter, sql } from 'kysely'

/**
 * Events lie in the order of time, which is how they are read: an index fewer to write with each of them, and on
 * PostgreSQL the key by which they can be kept apart by month.
 */
export async function up(db: Kysely<never>): Promise<void> {
  if (!(db.getExecutor().adapter instanceof SqliteAdapter)) {
    await sql`alter table audit_event drop constraint audit_event_pkey`.execute(db)
    await sql`alter table audit_event add primary key (at, id)`.execute(db)
    await sql`drop index audit_event_at`.execute(db)
    return
  }
  const { schema } = db
  await schema
    .createTable('audit_event_in_order')
    .addColumn('id', 'text', (c) => c.notNull())
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
    .addPrimaryKeyConstraint('audit_event_pk', ['at', 'id'])
    .modifyEnd(sql`without rowid`)
    .execute()
  const columns = sql.raw(
    'id, at, event, outcome, actor_kind, actor_id, user_id, address, user_agent, request_id, fields',
  )
  await sql`insert into audit_event_in_order (${columns}) select ${columns} from audit_event order by at, id`.execute(
    db,
  )
  await schema.dropTable('audit_event').execute()
  await schema.alterTable('audit_event_in_order').renameTo('audit_event').execute()
  // The key of the table is part of each of its indexes.
  for (const [name, column] of [
    ['audit_event_user', 'user_id'],
    ['audit_event_name', 'event'],
    ['audit_event_address', 'address'],
  ] as const) {
    await schema.createIndex(name).on('audit_event').columns([column, 'at', 'id']).execute()
  }
}
