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
      connect: async () => lend(await pool.connect()),
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

/**
 * A client whose every query ends, by an answer or by the end of the connection.
 *
 * @throws Error with the code of `read_only_sql_transaction` where a new connection leads to what takes no changes.
 */
async function lend(client: pg.PoolClient): Promise<PostgresPoolClient> {
  const known = lent.get(client)
  if (known !== undefined) return known
  const made = bounded(client)
  try {
    await prepareNew(made)
  } catch (error) {
    made.release(true)
    throw error
  }
  const lending = made as unknown as PostgresPoolClient // Cursors, which it could be asked for too, are not used.
  lent.set(client, lending)
  return lending
}

/**
 * Refuses a standby, also one that only follows late, and a primary that was set aside: sessions that ended elsewhere
 * would still be alive there (SEC-SES-15). Has commits wait for the disk where the server leaves that out (SEC-DB-1).
 */
async function prepareNew(connection: ReturnType<typeof bounded>): Promise<void> {
  const { rows } = await connection.query(
    `select current_setting('transaction_read_only') as read_only,
      case current_setting('synchronous_commit') when 'off' then set_config('synchronous_commit', 'on', false) end`,
    [],
  )
  if (rows[0]?.read_only === 'off') return
  throw Object.assign(new Error('PostgreSQL is a standby, or set to be read only.'), {
    code: sqlStates.readOnlyTransaction,
  })
}

function bounded(client: pg.PoolClient) {
  let isUnlimited = false
  let isReadOnly = false
  // From release 14 on PostgreSQL says so by itself when that is set later.
  connectionOf(client).on('parameterStatus', ({ parameterName, parameterValue }) => {
    if (parameterName === 'default_transaction_read_only') isReadOnly = parameterValue === 'on'
  })
  return {
    async query(sql: string, parameters: readonly unknown[]) {
      // Whoever lifts the limit of PostgreSQL, for a migration, lifts this one with it.
      if (sql.includes('statement_timeout')) isUnlimited = !sql.startsWith('reset')
      const timer = isUnlimited ? undefined : setTimeout(() => abandon(client), ANSWER_MS)
      try {
        return await client.query(sql, [...parameters])
      } catch (error) {
        isReadOnly ||= error instanceof pg.DatabaseError && error.code === sqlStates.readOnlyTransaction
        throw error
      } finally {
        clearTimeout(timer)
      }
    },
    release(isBroken?: boolean) {
      isUnlimited = false
      // The next one leads to whatever is the primary now.
      client.release(isBroken === true || isReadOnly)
    },
  }
}

/** Cuts the connection, which fails its query; to end it politely would wait for the same silence. */
function abandon(client: pg.PoolClient): void {
  connectionOf(client).stream.destroy(new Error('PostgreSQL did not answer in time.'))
}

/** What `pg` speaks to the server with; not among its types. */
const connectionOf = (client: pg.PoolClient) =>
  (client as unknown as { readonly connection: Connection }).connection

interface Connection {
  readonly stream: { destroy(error: Error): void }
  on(
    event: 'parameterStatus',
    listener: (message: { readonly parameterName: string; readonly parameterValue: string }) => void,
  ): void
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
