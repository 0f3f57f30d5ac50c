import type { Compilable, CompiledQuery, DatabaseConnection, DialectAdapter, QueryResult } from 'kysely'
import type { Db } from './database.ts'
import { isReadingNow, isRunningNow } from './read-now.ts'

/** What a prepared query gave. */
export interface PreparedResult<Row> {
  readonly rows: readonly Row[]
  /** Rows inserted, updated or deleted. */
  readonly affected: number
}

/** A query that is built once for a database and then run with its parameters only. */
export type Prepared<Parameters, Row> = (db: Db, parameters: Parameters) => Promise<PreparedResult<Row>>

/**
 * Builds a query once for each database, whether it then runs on the pool or in transactions: building costs five
 * times what SQLite needs to run it.
 *
 * Each parameter must reach the query as it is, as a bound value, and none may decide how the query is built.
 */
export function prepared<Parameters extends object, Row extends object>(
  build: (db: Db, parameters: Parameters) => Compilable<Row>,
): Prepared<Parameters, Row> {
  const known = new WeakMap<DialectAdapter, BuiltQuery<Row>>()
  return async (db, parameters) => {
    const { adapter } = db.getExecutor()
    let built = known.get(adapter)
    if (built === undefined) {
      built = buildOnce((marks) => build(db, marks as Parameters).compile())
      known.set(adapter, built)
    }
    const bound = {
      ...built.query,
      parameters: built.values(parameters as Readonly<Record<string | number, unknown>>),
    }
    // On the pool of SQLite the answer is there at once; going through Kysely's pool would cost as much as the answer.
    if (built.isSelect && isReadingNow(adapter) && !db.isTransaction) {
      return { rows: adapter.readNow(bound), affected: 0 }
    }
    if (!db.isTransaction) return resultOf(await db.executeQuery(bound))
    const connection = connections.get(db) ?? (await connectionOf(db))
    return resultOf(
      isRunningNow(connection) ? connection.runNow(bound) : await connection.executeQuery(bound),
    )
  }
}

/** The type of a compiled query does not tell plain rows from results of writes; only selects are asked for rows. */
function resultOf<Row>({ rows, numAffectedRows }: QueryResult<unknown>): PreparedResult<Row> {
  return { rows: rows as Row[], affected: Number(numAffectedRows ?? 0n) }
}

const connections = new WeakMap<Db, DatabaseConnection>()

/** The connection that a transaction has for itself; asking Kysely for it anew costs as much as a statement. */
export async function connectionOf(transaction: Db): Promise<DatabaseConnection> {
  const known = connections.get(transaction)
  if (known !== undefined) return known
  const connection = await transaction.getExecutor().provideConnection(async (own) => own)
  connections.set(transaction, connection)
  return connection
}

interface BuiltQuery<Row> {
  readonly query: CompiledQuery<Row>
  readonly isSelect: boolean
  values(parameters: Readonly<Record<string | number, unknown>>): unknown[]
}

/** Builds the query with a mark in place of each parameter, to find where each ends up. */
function buildOnce<Row>(build: (marks: object) => CompiledQuery<Row>): BuiltQuery<Row> {
  const names = new Map<symbol, string | number>()
  const marks = new Proxy(
    {},
    {
      get(_target, name) {
        const mark = Symbol(String(name))
        // Of a list the engine finds a place faster by a number.
        names.set(mark, /^\d+$/.test(String(name)) ? Number(name) : String(name))
        return mark
      },
    },
  )
  const query = build(marks)
  for (const mark of names.keys()) {
    if (!query.parameters.includes(mark)) throw new Error(`${String(mark)} is not among the bound values.`)
  }
  // What is no mark is a constant of the query itself.
  const slots = query.parameters.map((value) => ({ name: names.get(value as symbol), value }))
  return {
    query,
    isSelect: query.query.kind === 'SelectQueryNode',
    values: (parameters) => slots.map(({ name, value }) => (name === undefined ? value : parameters[name])),
  }
}
