import type { Services } from '../services.ts'
import * as attempts from '../store/attempts.ts'
import type { Db } from '../store/database.ts'
import { onlyOnce } from '../store/repeated.ts'
import { keysInUse } from '../store/views/keys-in-use.ts'

/** The key file, as far as rotation needs it. Each call reads or replaces it at that moment. */
export interface KeyStore {
  keyIds(): { readonly current: string; readonly older: readonly string[] }
  /** Adds a key and makes it the current one. */
  add(): void
  remove(keyIds: readonly string[]): void
}

/** Row that is held while the key file is replaced. */
export const KEY_FILE_HOLD = 'hold:key-file'

export type AddSealingKeyOutcome =
  | { readonly kind: 'added' }
  /** Something is sealed with an older key still: an earlier rotation was stopped, and is to be finished first. */
  | { readonly kind: 'unfinished' }

/**
 * Adds a key and makes it the current one, unless an earlier rotation is not finished.
 *
 * The database is held meanwhile: of two that replace the file at once, one would lose the key of the other, and
 * all that was sealed with it. The hold ends with the process, however it ends.
 */
export async function addSealingKey(
  { db }: Pick<Services, 'db'>,
  keys: KeyStore,
): Promise<AddSealingKeyOutcome> {
  const adding = onlyOnce(async (tx: Db): Promise<AddSealingKeyOutcome> => {
    await attempts.hold(tx, [KEY_FILE_HOLD])
    const unfinished = (await keysInUse(tx, keys.keyIds().older)).length > 0
    if (!unfinished) keys.add()
    await attempts.clear(tx, [KEY_FILE_HOLD])
    return { kind: unfinished ? 'unfinished' : 'added' }
  })
  return db.transaction().execute(adding)
}
