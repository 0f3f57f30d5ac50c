import type { Db } from '../database.ts'

/** Those of the keys that something is sealed with. */
export async function keysInUse(db: Db, keyIds: readonly string[]): Promise<readonly string[]> {
  const used: string[] = []
  for (const id of keyIds) {
    // Identifiers of keys are hexadecimal: nothing in them is a pattern.
    const row = await db
      .selectFrom('otp_device')
      .select('id')
      .where('sealed_key', 'like', `v1.${id}.%`)
      .limit(1)
      .executeTakeFirst()
    if (row !== undefined) used.push(id)
  }
  return used
}
