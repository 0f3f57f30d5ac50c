import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { storageFault } from '../domain/faults.ts'
import { type CommitGroup, commitGroup } from './commit-group.ts'
import type { RunningNow } from './read-now.ts'
import { WatchwordSqliteAdapter } from './sqlite-adapter.ts'
import { SqliteHandle } from './sqlite-handle.ts'
import type { SyncingLater } from './sync-later.ts'
import { Turns } from './turns.ts'

/** Kysely's dialect over `node:sqlite`; opens the file at once. */
export function sqliteDialect(path: string): Dialect {
  const driver = new SqliteDriver(path)
  return {
    createDriver: () => driver,
    createAdapter: () => new WatchwordSqliteAdapter((query) => driver.read(query)),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}

/** How long a writer waits for another process (the command line beside the server), and for its turn in this one. */
const PATIENCE_MS = 5000
/** How long the lock may be taken before we look whether it is another process that holds it. */
const OWN_LOCK_MS = 1000
const SQLITE_BUSY = 5
const SQLITE_IOERR = 10
/** What SQLite says of its log's locks after it tried for ten seconds. */
const SQLITE_PROTOCOL = 15
/** A number in the file's head that is the program's to use, and is not used: set to what it is. */
const WRITE_SOMETHING = 'PRAGMA user_version = 0'

/**
 * One writer, one reader.
 *
 * Selects outside of transactions run on a handle of their own and see what is committed. Writers take turns;
 * those that come in the same round of the event loop share one commit, hence one wait for the disk, and none
 * is answered before it (SEC-DB-1). Those that sync later share commits with their like, which do not wait; the next one that
 * waits covers them, for the log is synced as a whole.
 */
class SqliteDriver implements Driver {
  readonly writer: SqliteHandle
  readonly #reader: SqliteHandle
  readonly #turns = new Turns(PATIENCE_MS)
  #group: CommitGroup | undefined
  #flushScheduled = false
  /** Whether something is committed that was not synced yet. */
  #owesSync = false
  /** Whether a commit failed while a sync was owed. */
  #hasLostSync = false

  constructor(path: string) {
    this.writer = new SqliteHandle(path, { readOnly: false, timeoutMs: PATIENCE_MS })
    this.#reader = new SqliteHandle(path, { readOnly: true, timeoutMs: PATIENCE_MS })
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<SqliteConnection> {
    return new SqliteConnection(this)
  }

  async releaseConnection(): Promise<void> {}

  async beginTransaction(connection: SqliteConnection): Promise<void> {
    await this.begin(connection.syncsLater)
    connection.inTransaction = true
  }

  async commitTransaction(connection: SqliteConnection): Promise<void> {
    connection.inTransaction = false
    await this.commit()
  }

  async rollbackTransaction(connection: SqliteConnection): Promise<void> {
    // Kysely also rolls back when the commit itself failed; then there is nothing left to undo.
    if (!connection.inTransaction) return
    connection.inTransaction = false
    this.rollback()
  }

  async destroy(): Promise<void> {
    await this.#turns.takeAtLast()
    try {
      this.#commitGroup()
      this.#reader.close()
      this.writer.close()
    } finally {
      this.#turns.give()
    }
  }

  async begin(syncsLater: boolean): Promise<void> {
    await this.#turns.take()
    try {
      if (this.#group !== undefined && !this.writer.isTransaction) this.#abandonGroup()
      // A commit that does not wait for the disk takes in nobody who does.
      if (this.#group?.syncsLater && !syncsLater) this.#commitGroup()
      if (this.#group === undefined) {
        await this.#beginImmediate(syncsLater)
        this.#group = commitGroup(syncsLater)
      }
      this.writer.exec('SAVEPOINT member')
    } catch (error) {
      this.#passOn()
      throw error
    }
  }

  /** SQLite undoes the whole transaction when the disk is full or fails: then no member of the group was stored. */
  #abandonGroup(): void {
    this.#group?.reject(new Error('The transaction was undone by the database.'))
    this.#group = undefined
  }

  /** A statement of a member; refused when SQLite has undone the transaction, for it would stand alone. */
  runInside<R>(query: CompiledQuery): QueryResult<R> {
    if (!this.writer.isTransaction) throw new Error('The transaction was undone by the database.')
    return this.writer.run(query)
  }

  async commit(): Promise<void> {
    const group = this.#group
    if (group === undefined) throw new Error('A commit without a transaction.')
    try {
      this.writer.exec('RELEASE member')
    } finally {
      this.#passOn()
    }
    await group.done
  }

  rollback(): void {
    try {
      if (this.writer.isTransaction) this.writer.exec('ROLLBACK TO member; RELEASE member')
    } finally {
      this.#passOn()
    }
  }

  /** Lets the next member in, and sees to it that the group is committed once nobody else is there. */
  #passOn(): void {
    const group = this.#group
    this.#turns.give()
    if (group !== undefined && !this.#flushScheduled) {
      this.#flushScheduled = true
      setImmediate(() => void this.#flush())
    }
  }

  async #flush(): Promise<void> {
    // Without a limit: whoever has the turn gives it back in the end, and members wait to be told.
    await this.#turns.takeAtLast()
    this.#flushScheduled = false
    this.#commitGroup()
    this.#turns.give()
  }

  #commitGroup(): void {
    const group = this.#group
    this.#group = undefined
    if (group === undefined) return
    try {
      // SQLite syncs when something was written. Those who only looked may have seen what is not synced yet.
      if (this.#owesSync && !group.syncsLater) this.writer.exec(WRITE_SOMETHING)
      this.writer.exec('COMMIT')
      this.#owesSync = group.syncsLater
      group.resolve()
    } catch (error) {
      this.#undo()
      this.#hasLostSync ||= this.#owesSync && has(error, SQLITE_IOERR)
      group.reject(error)
    }
  }

  #undo(): void {
    try {
      this.writer.exec('ROLLBACK')
    } catch {
      // SQLite has rolled back by itself already after most faults of a commit; either way nothing was stored.
    }
  }

  /** Waits for other processes without blocking this one, which SQLite's own busy handler would do. */
  async #beginImmediate(syncsLater: boolean): Promise<void> {
    const began = performance.now()
    let hasReopened = false
    for (;;) {
      try {
        if (this.#hasLostSync) this.#syncWhatWasLost()
        this.writer.waitForDisk(!syncsLater)
        return this.writer.exec('BEGIN IMMEDIATE')
      } catch (error) {
        const waited = performance.now() - began
        const isLost = has(error, SQLITE_PROTOCOL) || (has(error, SQLITE_BUSY) && waited > OWN_LOCK_MS)
        if (isLost && !hasReopened) hasReopened = this.#reopen()
        else if (!has(error, SQLITE_BUSY) || waited > PATIENCE_MS) throw error
      }
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }

  /**
   * Stores anew what a sync that failed was to store. The system tells of that once, takes it for stored, and succeeds with the
   * next sync; what lies behind it in the log would end with it when the power fails. What the failed group wrote SQLite itself
   * writes anew.
   */
  #syncWhatWasLost(): void {
    if (!this.writer.renewLog())
      throw Object.assign(new Error('The log is in use.'), { errcode: SQLITE_BUSY })
    this.#hasLostSync = false
    this.#owesSync = false
  }

  /** What is committed, for whoever is in no transaction. */
  read<R>(query: CompiledQuery): QueryResult<R> {
    try {
      return this.#reader.run(query)
    } catch (error) {
      if (!has(error, SQLITE_PROTOCOL) || !this.#reopen()) throw error
      return this.#reader.run(query)
    }
  }

  /**
   * Lets go of the file, which its next use opens again; not while a transaction is under way.
   *
   * A lock that the system failed to give back SQLite counts as taken for as long as the process has a handle of the file.
   */
  #reopen(): boolean {
    if (this.writer.isTransaction) return false
    this.#reader.letGo()
    this.writer.letGo()
    return true
  }
}

class SqliteConnection implements DatabaseConnection, RunningNow, SyncingLater {
  inTransaction = false
  syncsLater = false
  readonly #driver: SqliteDriver

  constructor(driver: SqliteDriver) {
    this.#driver = driver
  }

  runNow<R>(query: CompiledQuery): QueryResult<R> {
    try {
      if (!this.inTransaction) throw new Error('The transaction is over.')
      return this.#driver.runInside(query)
    } catch (cause) {
      throw storageFault(cause)
    }
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (this.inTransaction) return this.#driver.runInside(query)
    if (query.query.kind === 'SelectQueryNode') return this.#driver.read(query)
    await this.#driver.begin(false)
    let result: QueryResult<R>
    try {
      result = this.#driver.writer.run(query)
    } catch (error) {
      this.#driver.rollback()
      throw error
    }
    await this.#driver.commit()
    return result
  }

  // biome-ignore lint/correctness/useYield: the interface asks for it; rows are few and never streamed.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('SQLite answers whole results only.')
  }
}

function has(error: unknown, code: number): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === code
}
