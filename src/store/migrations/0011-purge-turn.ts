import type { Kysely } from 'kysely'

/** When a node last took the turn to purge, in Unix seconds. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .alterTable('installation')
    .addColumn('purged_at', 'bigint', (c) => c.notNull().defaultTo(0))
    .execute()
}
