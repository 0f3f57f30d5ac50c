import { type Kysely, SqliteAdapter, sql } from 'kysely'

/** What imports need: which things came from where, and password hashes in an order of chance. */
export async function up(db: Kysely<never>): Promise<void> {
  const { schema } = db
  const imported = schema
    .createTable('imported')
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('source_id', 'text', (c) => c.notNull())
    // No reference: what was deleted here is still known to have been imported once.
    .addColumn('target_id', 'text', (c) => c.notNull())
    .addColumn('password_mark', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('imported_pk', ['source', 'kind', 'source_id'])
  const isSqlite = db.getExecutor().adapter instanceof SqliteAdapter
  await (isSqlite ? imported.modifyEnd(sql`without rowid`) : imported).execute()

  // The end of an identifier is random (see `newId`): from any place on, the next row is anybody's.
  await schema
    .createIndex('password_hash_chance')
    .on('password_hash')
    .expression(sql`substr(user_id, 15)`)
    .execute()
}
