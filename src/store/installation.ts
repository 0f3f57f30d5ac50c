import type { Seconds, UnixSeconds } from '../domain/time.ts'
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

/**
 * Takes the turn to purge; of those who ask within `between` one is told `true`, and counts as having purged from now on.
 *
 * A turn that lies ahead was taken by a clock that was put right since, and holds nobody up.
 */
export async function takePurge(db: Db, now: UnixSeconds, between: Seconds): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('installation')
    .set({ purged_at: now })
    .where((eb) => eb.or([eb('purged_at', '<=', now - between), eb('purged_at', '>', now)]))
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}
