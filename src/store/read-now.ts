import type { CompiledQuery, DatabaseConnection, DialectAdapter, QueryResult } from 'kysely'

/** An engine in this process, which answers a select from what is committed without waiting for anything. */
export interface ReadingNow {
  /** Throws `StorageFault` as any query does. */
  readNow<Row>(query: CompiledQuery<Row>): Row[]
}

/** Whether the engine behind this adapter can do so. */
export function isReadingNow(adapter: DialectAdapter): adapter is DialectAdapter & ReadingNow {
  return 'readNow' in adapter
}

/** A connection of such an engine, which answers a statement of its transaction at once. */
export interface RunningNow {
  /** Throws `StorageFault` as any query does, and when its transaction is over. */
  runNow<Row>(query: CompiledQuery<Row>): QueryResult<Row>
}

/** Whether it is one. */
export function isRunningNow(connection: DatabaseConnection): connection is DatabaseConnection & RunningNow {
  return 'runNow' in connection
}
