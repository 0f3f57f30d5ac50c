import { type CompiledQuery, type QueryResult, SqliteAdapter } from 'kysely'
import { storageFault } from '../domain/faults.ts'
import type { ReadingNow } from './read-now.ts'

/** What SQLite can do and Kysely does not assume. */
export class WatchwordSqliteAdapter extends SqliteAdapter implements ReadingNow {
  readonly #read: <Row>(query: CompiledQuery<Row>) => QueryResult<Row>

  /** `read` answers from what is committed. */
  constructor(read: <Row>(query: CompiledQuery<Row>) => QueryResult<Row>) {
    super()
    this.#read = read
  }

  readNow<Row>(query: CompiledQuery<Row>): Row[] {
    try {
      return this.#read(query).rows
    } catch (cause) {
      throw storageFault(cause)
    }
  }

  override get supportsTransactionalDdl() {
    return true
  }

  /** The driver orders the writers itself; Kysely's lock would make readers wait for them. */
  override get supportsMultipleConnections() {
    return true
  }
}
