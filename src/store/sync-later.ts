import type { DatabaseConnection } from 'kysely'
import type { Db } from './database.ts'
import { connectionOf } from './prepared.ts'

/** A connection whose transactions may leave the wait for the disk to the next transaction that does wait. */
export interface SyncingLater {
  syncsLater: boolean
}

/**
 * A transaction that is stored when this resolves, and on disk once any later transaction of the ordinary kind is.
 *
 * Only a loss of power in between undoes it; the end of the program does not. For what must be stored before a secret is
 * looked at, where nobody is answered before an ordinary transaction (SEC-DB-1). PostgreSQL waits here too.
 */
export function syncLater<Result>(db: Db, work: (tx: Db) => Promise<Result>): Promise<Result> {
  return db.connection().execute(async (held) => {
    const connection = await connectionOf(held)
    if (isSyncingLater(connection)) connection.syncsLater = true
    return held.transaction().execute(work)
  })
}

const isSyncingLater = (connection: DatabaseConnection): connection is DatabaseConnection & SyncingLater =>
  'syncsLater' in connection
