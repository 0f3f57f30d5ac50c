import type { DatabaseConnection, Dialect, Driver } from 'kysely'
import type { UserId } from '../domain/user.ts'
import type { Db } from './database.ts'
import { connectionOf } from './prepared.ts'

/** Told who lost standing, after it is stored and before whoever caused it is answered. */
export type RevocationListener = (whose: ReadonlySet<UserId>) => void

/** Told the same before it is stored, on the connection of the transaction; for an engine that passes it on. */
type Announce = (connection: DatabaseConnection, whose: ReadonlySet<UserId>) => Promise<void>

const noted = new WeakMap<DatabaseConnection, Set<UserId>>()

/**
 * Notes that what was decided about a user before may not hold any more: a session ended, a right was taken.
 *
 * To be called beside the statement, in its transaction. To note too much costs one question of Apache; to forget one
 * leaves a door open for as long as a lease lasts (FT-REV-1).
 */
export async function noteRevoked(db: Db, userId: UserId): Promise<void> {
  if (!db.isTransaction) {
    // The statement is stored already; the listener is told when this empty transaction ends.
    await db.transaction().execute((tx) => noteRevoked(tx, userId))
    return
  }
  const connection = await connectionOf(db)
  const whose = noted.get(connection)
  if (whose === undefined) noted.set(connection, new Set([userId]))
  else whose.add(userId)
}

/** The dialect, whose transactions tell the listener what was noted in them. */
export function tellingRevocations(
  dialect: Dialect,
  listener: RevocationListener,
  announce: Announce = async () => {},
): Dialect {
  return {
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createDriver: () => tellingDriver(dialect.createDriver(), listener, announce),
  }
}

function tellingDriver(driver: Driver, listener: RevocationListener, announce: Announce): Driver {
  return {
    init: () => driver.init(),
    acquireConnection: () => driver.acquireConnection(),
    beginTransaction: (connection, settings) => driver.beginTransaction(connection, settings),
    async commitTransaction(connection) {
      const whose = noted.get(connection)
      if (whose === undefined) return driver.commitTransaction(connection)
      await announce(connection, whose)
      noted.delete(connection)
      try {
        await driver.commitTransaction(connection)
      } finally {
        // Also where the commit failed: the answer may have been lost on its way, and the change stored.
        listener(whose)
      }
    },
    async rollbackTransaction(connection) {
      noted.delete(connection)
      await driver.rollbackTransaction(connection)
    },
    releaseConnection: (connection) => driver.releaseConnection(connection),
    destroy: () => driver.destroy(),
  }
}
