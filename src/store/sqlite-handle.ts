import { closeSync, openSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import type { CompiledQuery, QueryResult } from 'kysely'

/** One handle of the file with its statements kept prepared: preparing costs 25 times what running does. */
export class SqliteHandle {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, { statement: StatementSync; returnsRows: boolean }>()
  #waitsForDisk = false

  constructor(
    path: string,
    { readOnly, timeoutMs }: { readonly readOnly: boolean; readonly timeoutMs: number },
  ) {
    // The database is of nobody's concern but its owner; SQLite gives its log the same mode.
    if (!readOnly) closeSync(openSync(path, 'a', 0o600))
    // While it is opened, SQLite itself waits for another process that opens or closes it; from then on we do.
    this.#database = new DatabaseSync(path, { readOnly, timeout: timeoutMs })
    // A page that many sign-ins change is copied into the file once each 16 MiB of log, not each 4.
    if (!readOnly) {
      this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 4000')
      this.waitForDisk(true)
    }
    this.#database.exec('PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -4000')
    // What a savepoint may have to undo is kept in memory, not in files that are made and removed for each group.
    this.#database.exec('PRAGMA temp_store = MEMORY')
    this.#database.exec('PRAGMA busy_timeout = 0')
  }

  exec(sql: string): void {
    this.#database.exec(sql)
  }

  get isTransaction(): boolean {
    return this.#database.isTransaction
  }

  /** Whether commits from now on wait until their log is on disk. SQLite takes it between transactions only. */
  waitForDisk(waits: boolean): void {
    if (waits === this.#waitsForDisk) return
    this.#database.exec(`PRAGMA synchronous = ${waits ? 'FULL' : 'NORMAL'}`)
    this.#waitsForDisk = waits
  }

  run<R>({ sql, parameters }: CompiledQuery): QueryResult<R> {
    const { statement, returnsRows } = this.#prepared(sql)
    const values = parameters as readonly SQLInputValue[]
    if (returnsRows) return { rows: statement.all(...values) as R[] }
    return { rows: [], numAffectedRows: BigInt(statement.run(...values).changes) }
  }

  close(): void {
    this.#statements.clear()
    this.#database.close()
  }

  #prepared(sql: string) {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    // Lists of different lengths make new texts; a bound keeps them from piling up.
    if (this.#statements.size > 400) this.#statements.clear()
    const statement = this.#database.prepare(sql)
    const entry = { statement, returnsRows: statement.columns().length > 0 }
    this.#statements.set(sql, entry)
    return entry
  }
}
