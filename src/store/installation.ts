import type { Db } from './database.ts'

/** The fingerprint of the key file that belongs to this database: the first one that was ever given. */
export async function keyFingerprint(db: Db, given: string): Promise<string> {
  const row = await db.selectFrom('installation').select('key_fingerprint').executeTakeFirst()
  if (row !== undefined) return row.key_fingerprint
  await db
    .insertInto('installation')
    .values({ id: 1, key_fingerprint: given })
    .onConflict((oc) => oc.column('id').doNothing())
    .execute()
  const stored = await db.selectFrom('installation').select('key_fingerprint').executeTakeFirstOrThrow()
  return stored.key_fingerprint
}
