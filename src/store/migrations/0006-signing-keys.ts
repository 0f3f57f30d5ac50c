import type { Kysely } from 'kysely'

/** Keys by which applications know that what they are told comes from here. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('signing_key')
    .addColumn('generation', 'integer', (c) => c.primaryKey())
    .addColumn('id', 'text', (c) => c.notNull().unique())
    .addColumn('public_key', 'text', (c) => c.notNull())
    .addColumn('sealed_key', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('used_from', 'bigint', (c) => c.notNull())
    .execute()
}
