import type { Db } from '../database.ts'

/** Those of the keys that something is sealed with. */
export async function keysInUse(db: Db, keyIds: readonly string[]): Promise<readonly string[]> {
  const used: string[] = []
  for (const id of keyIds) {
    // Identifiers of keys are hexadecimal: nothing in them is a pattern.
    const pattern = `v1.${id}.%`
    const row =
      (await db
        .selectFrom('otp_device')
        .select('id')
        .where('sealed_key', 'like', pattern)
        .limit(1)
        .executeTakeFirst()) ??
      (await db
        .selectFrom('signing_key')
        .select('id')
        .where('sealed_key', 'like', pattern)
        .limit(1)
        .executeTakeFirst())
    if (row !== undefined) used.push(id)
  }
  return used
}
