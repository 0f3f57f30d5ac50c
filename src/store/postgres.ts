import {
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresDialect,
  type PostgresPoolClient,
} from 'kysely'
import pg from 'pg'
import { storageFault, UncertainCommit } from '../domain/faults.ts'
import { sqlStates } from './sql-state.ts'

const INT8 = 20

/** Whole seconds and counters fit a number, so `int8` is read as one. */
export const postgresTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
}

/** How long a statement may run, in milliseconds; PostgreSQL ends it then. */
const STATEMENT_MS = 10_000

/** How long an answer may take before the connection is given up: PostgreSQL itself, or the way to it, is gone. */
const ANSWER_MS = STATEMENT_MS + 2000

/** Kysely's dialect over `pg`. */
export function postgresDialect({
  url,
  connections = 10,
}: {
  readonly url: string
  readonly connections?: number
}): Dialect {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: 5000,
    idleTimeoutMillis: 30_000,
    statement_timeout: STATEMENT_MS,
    lock_timeout: 5000,
    idle_in_transaction_session_timeout: 10_000,
    application_name: 'watchword',
    types: postgresTypes,
  })
  // A connection that breaks, idle or lent, is replaced; without listeners it would end the process.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  const dialect = new PostgresDialect({
    pool: {
      options: pool.options,
      connect: async () => bounded(await pool.connect()),
      end: () => pool.end(),
    },
  })
  return {
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createDriver: () => tellingUncertain(dialect.createDriver()),
  }
}

/** What Kysely is lent in place of a client; it knows its connections by this object. */
const lent = new WeakMap<pg.PoolClient, PostgresPoolClient>()

/** A client whose every query ends, by an answer or by the end of the connection. */
function bounded(client: pg.PoolClient): PostgresPoolClient {
  const known = lent.get(client)
  if (known !== undefined) return known
  let isUnlimited = false
  let isOfReplica = false
  const made = {
    async query(sql: string, parameters: readonly unknown[]) {
      // Whoever lifts the limit of PostgreSQL, for a migration, lifts this one with it.
      if (sql.includes('statement_timeout')) isUnlimited = !sql.startsWith('reset')
      const timer = isUnlimited ? undefined : setTimeout(() => abandon(client), ANSWER_MS)
      try {
        return await client.query(sql, [...parameters])
      } catch (error) {
        isOfReplica ||= error instanceof pg.DatabaseError && error.code === sqlStates.readOnlyTransaction
        throw error
      } finally {
        clearTimeout(timer)
      }
    },
    release(isBroken?: boolean) {
      isUnlimited = false
      // The next one leads to whatever is the primary now.
      client.release(isBroken === true || isOfReplica)
    },
  }
  const lending = made as unknown as PostgresPoolClient // Cursors, which it could be asked for too, are not used.
  lent.set(client, lending)
  return lending
}

/** Cuts the connection, which fails its query; to end it politely would wait for the same silence. */
function abandon(client: pg.PoolClient): void {
  const { connection } = client as unknown as {
    readonly connection: { readonly stream: { destroy(e: Error): void } }
  }
  connection.stream.destroy(new Error('PostgreSQL did not answer in time.'))
}

/** Tells a commit of which nobody knows whether it was stored from one that failed. */
function tellingUncertain(driver: Driver): Driver {
  return {
    init: () => driver.init(),
    acquireConnection: () => driver.acquireConnection(),
    beginTransaction: (connection, settings) => driver.beginTransaction(connection, settings),
    async commitTransaction(connection: DatabaseConnection) {
      try {
        await driver.commitTransaction(connection)
      } catch (cause) {
        if (isRefusal(cause)) throw cause
        throw new UncertainCommit(cause instanceof Error ? cause.message : 'The commit was not answered.', {
          cause,
        })
      }
    },
    async rollbackTransaction(connection) {
      try {
        await driver.rollbackTransaction(connection)
      } catch {
        // The connection is closed now, and PostgreSQL undoes what came on it. Whoever waits is told what went wrong first.
      }
    },
    releaseConnection: (connection) => driver.releaseConnection(connection),
    destroy: () => driver.destroy(),
  }
}

/** Whether PostgreSQL itself said that nothing was stored; what it says as it closes the connection is no such word. */
function isRefusal(cause: unknown): boolean {
  if (!(cause instanceof pg.DatabaseError))
    return cause instanceof Error && cause.name === 'AbortedTransactionError'
  return cause.severity === 'ERROR' && cause.code !== sqlStates.completionUnknown
}

/** How many connections of Watchword this database has. */
export async function countOthers(url: string): Promise<number> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 5000,
    types: postgresTypes,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<{ count: number }>(
      "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'watchword%'",
    )
    return rows[0]?.count ?? 0
  } catch (cause) {
    throw storageFault(cause)
  } finally {
    await client.end()
  }
}
