import type { CompiledQuery, DialectAdapter } from 'kysely'

/** An engine in this process, which answers a select from what is committed without waiting for anything. */
export interface ReadingNow {
  /** Throws `StorageFault` as any query does. */
  readNow<Row>(query: CompiledQuery<Row>): Row[]
}

/** Whether the engine behind this adapter can do so. */
export function isReadingNow(adapter: DialectAdapter): adapter is DialectAdapter & ReadingNow {
  return 'readNow' in adapter
}
