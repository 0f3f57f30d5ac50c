import type { Services } from '../services.ts'
import * as attempts from '../store/attempts.ts'
import type { Db } from '../store/database.ts'
import { onlyOnce } from '../store/repeated.ts'
import { keysInUse } from '../store/views/keys-in-use.ts'
import { KEY_FILE_HOLD, type KeyStore } from './add-sealing-key.ts'
import { type Operator, record } from './caller.ts'

/** Removes the keys that nothing is sealed with any more, but never the current one. */
export async function pruneKeys(
  services: Pick<Services, 'db' | 'now' | 'newId'>,
  keys: KeyStore,
  by: Operator,
): Promise<{ readonly removed: readonly string[] }> {
  const now = services.now()
  const pruning = onlyOnce(async (tx: Db) => {
    await attempts.hold(tx, [KEY_FILE_HOLD])
    const { older } = keys.keyIds()
    const used = await keysInUse(tx, older)
    const removed = older.filter((id) => !used.includes(id))
    if (removed.length > 0) {
      await record(services, tx, { now, by }, { event: 'keys-pruned', keyIds: removed })
      keys.remove(removed)
    }
    await attempts.clear(tx, [KEY_FILE_HOLD])
    return { removed }
  })
  return services.db.transaction().execute(pruning)
}
