import { type Dialect, PostgresDialect } from 'kysely'
import pg from 'pg'
import { storageFault } from '../domain/faults.ts'

const INT8 = 20

/** Whole seconds and counters fit a number, so `int8` is read as one. */
export const postgresTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
}

/** Kysely's dialect over `pg`. */
export function postgresDialect(url: string): Dialect {
  const pool = new pg.Pool({
    connectionString: url,
    max: 10,
    connectionTimeoutMillis: 5000,
    idleTimeoutMillis: 30_000,
    statement_timeout: 10_000,
    lock_timeout: 5000,
    idle_in_transaction_session_timeout: 10_000,
    application_name: 'watchword',
    types: postgresTypes,
  })
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => undefined)
  return new PostgresDialect({ pool })
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
