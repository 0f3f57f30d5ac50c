import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { type DatabaseConnection, type Dialect, type Driver, Kysely } from 'kysely'
import { storageFault } from '../domain/faults.ts'
import type { Database, Db } from './database.ts'
import { type RevocationListener, tellingRevocations } from './revocations.ts'

/** Which database: a file of SQLite, or PostgreSQL by its URL and how many connections there are at most (10). */
export type DatabaseTarget =
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: string; readonly connections?: number }

/**
 * Opens the database; makes the folder of a SQLite file when it is missing. Nothing is migrated.
 *
 * `revoked` is told whose standing each transaction ended or narrowed. PostgreSQL tells other nodes too.
 */
export async function openDatabase(
  target: DatabaseTarget,
  revoked: RevocationListener = () => {},
): Promise<Db> {
  const dialect = reportingFaults(await reported(dialectOf(target)))
  const announce =
    target.kind === 'postgres' ? (await import('./revocation-notices.ts')).notifyNodes : undefined
  return new Kysely<Database>({ dialect: tellingRevocations(dialect, revoked, announce) })
}

/** Each engine is loaded only where it is used. */
async function dialectOf(target: DatabaseTarget): Promise<Dialect> {
  if (target.kind === 'postgres') return (await import('./postgres.ts')).postgresDialect(target)
  mkdirSync(dirname(target.path), { recursive: true, mode: 0o700 })
  return (await import('./sqlite.ts')).sqliteDialect(target.path)
}

/** Turns whatever the engine throws into a `StorageFault`, which every edge answers in one way: refused. */
function reportingFaults(dialect: Dialect): Dialect {
  return {
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createDriver: () => reportingDriver(dialect.createDriver()),
  }
}

function reportingDriver(driver: Driver): Driver {
  const seen = new WeakSet<DatabaseConnection>()
  return {
    init: () => reported(driver.init()),
    async acquireConnection() {
      const connection = await reported(driver.acquireConnection())
      if (!seen.has(connection)) {
        seen.add(connection)
        const executeQuery = connection.executeQuery.bind(connection)
        connection.executeQuery = (query, options) => reported(executeQuery(query, options))
      }
      return connection
    },
    beginTransaction: (connection, settings) => reported(driver.beginTransaction(connection, settings)),
    commitTransaction: (connection) => reported(driver.commitTransaction(connection)),
    rollbackTransaction: (connection) => reported(driver.rollbackTransaction(connection)),
    releaseConnection: (connection) => driver.releaseConnection(connection),
    destroy: () => driver.destroy(),
  }
}

async function reported<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    throw storageFault(cause)
  }
}
