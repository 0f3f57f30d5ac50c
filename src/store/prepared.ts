import type { Compilable, CompiledQuery, DialectAdapter } from 'kysely'
import type { Db } from './database.ts'
import { isReadingNow } from './read-now.ts'

/** A query that is built once for a database and then run with its parameters only. */
export type Prepared<P extends readonly unknown[], Row> = (db: Db, ...parameters: P) => Promise<Row[]>

/**
 * Builds a query once for each database, whether it then runs on the pool or in transactions: building costs ten times what SQLite needs to answer a look-up.
 *
 * Each parameter must reach the query as it is, as a bound value.
 */
export function prepared<P extends readonly unknown[], Row extends object>(
  build: (db: Db, ...parameters: P) => Compilable<Row>,
): Prepared<P, Row> {
  const known = new WeakMap<DialectAdapter, { query: CompiledQuery<Row>; order: readonly number[] }>()
  return async (db, ...parameters) => {
    const { adapter } = db.getExecutor()
    let entry = known.get(adapter)
    if (entry === undefined) {
      // Marks stand for the parameters while the query is built, to find where each ends up.
      const marks = parameters.map(() => Symbol('parameter'))
      const query = build(db, ...(marks as unknown as P)).compile()
      const order = query.parameters.map((parameter) => marks.indexOf(parameter as symbol))
      if (order.includes(-1)) throw new Error('A prepared query may hold bound parameters only.')
      entry = { query, order }
      known.set(adapter, entry)
    }
    const values = entry.order.map((index) => parameters[index])
    const bound = { ...entry.query, parameters: values }
    // On the pool of SQLite the answer is there at once; going through Kysely's pool would cost as much as the answer.
    if (isReadingNow(adapter) && !db.isTransaction) return adapter.readNow(bound)
    // The type of a compiled query does not tell plain rows from results of writes; only selects are prepared.
    const { rows } = await db.executeQuery(bound)
    return rows as Row[]
  }
}
