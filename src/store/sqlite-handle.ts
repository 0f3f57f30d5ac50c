import { closeSync, openSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import type { CompiledQuery, QueryResult } from 'kysely'

/** A page that many sign-ins change is copied into the file once each 16 MiB of log, and not each 4 as SQLite has it. */
const CHECKPOINT_PAGES = 4000

interface SqliteHandleOptions {
  readonly readOnly: boolean
  /** How long opening waits for another program that opens or closes the file, in milliseconds. */
  readonly timeoutMs: number
}

/** One handle of the file with its statements kept prepared: preparing costs 25 times what running does. */
export class SqliteHandle {
  readonly #path: string
  readonly #options: SqliteHandleOptions
  #opened: DatabaseSync | undefined
  readonly #statements = new Map<string, { statement: StatementSync; returnsRows: boolean }>()
  #waitsForDisk = true

  /** Opens the file at once; makes it where it may write. */
  constructor(path: string, options: SqliteHandleOptions) {
    this.#path = path
    this.#options = options
    this.#opened = open(path, options)
  }

  /** Opens the file anew after `letGo`. */
  get #database(): DatabaseSync {
    if (this.#opened === undefined) {
      this.#opened = open(this.#path, this.#options)
      this.#waitsForDisk = true
    }
    return this.#opened
  }

  exec(sql: string): void {
    this.#database.exec(sql)
  }

  get isTransaction(): boolean {
    return this.#opened?.isTransaction ?? false
  }

  /**
   * Whether commits from now on wait until their log is on disk. SQLite takes it between transactions only.
   *
   * Those that do not wait copy nothing into the file either: SQLite keeps to itself when a sync fails by which it does.
   */
  waitForDisk(waits: boolean): void {
    if (waits === this.#waitsForDisk) return
    this.#database.exec(
      waits
        ? `PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`
        : 'PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0',
    )
    this.#waitsForDisk = waits
  }

  /** Copies the log into the file, both synced, and begins it anew; `false` while somebody else is in it. */
  renewLog(): boolean {
    const [row] = this.#database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all()
    return row?.busy === 0
  }

  run<R>({ sql, parameters }: CompiledQuery): QueryResult<R> {
    const { statement, returnsRows } = this.#prepared(sql)
    const values = parameters as readonly SQLInputValue[]
    if (returnsRows) return { rows: statement.all(...values) as R[] }
    return { rows: [], numAffectedRows: BigInt(statement.run(...values).changes) }
  }

  /** Closes the file until it is used again; whoever calls it has no transaction under way. */
  letGo(): void {
    this.#statements.clear()
    this.#opened?.close()
    this.#opened = undefined
  }

  /** Closes the file for good. */
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

function open(path: string, { readOnly, timeoutMs }: SqliteHandleOptions): DatabaseSync {
  // The database is of nobody's concern but its owner; SQLite gives its log the same mode.
  if (!readOnly) closeSync(openSync(path, 'a', 0o600))
  // While it is opened, SQLite itself waits for another process that opens or closes it; from then on we do.
  const database = new DatabaseSync(path, { readOnly, timeout: timeoutMs })
  try {
    if (!readOnly) {
      database.exec(
        `PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA synchronous = FULL`,
      )
    }
    database.exec('PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -4000')
    // What a savepoint may have to undo is kept in memory, not in files that are made and removed for each group.
    database.exec('PRAGMA temp_store = MEMORY; PRAGMA busy_timeout = 0')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}
