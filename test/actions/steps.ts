import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate as nextRound } from 'node:timers/promises'
import { type DatabaseConnection, type Dialect, type Driver, Kysely } from 'kysely'
import type { Database, Db } from '../../src/store/database.ts'

/** A database whose calls can be stopped one by one, for whoever runs in `interleave`. */
export function steppableDatabase(dialect: Dialect): Db {
  return new Kysely<Database>({
    dialect: {
      createAdapter: () => dialect.createAdapter(),
      createIntrospector: (db) => dialect.createIntrospector(db),
      createQueryCompiler: () => dialect.createQueryCompiler(),
      createDriver: () => steppableDriver(dialect.createDriver()),
    },
  })
}

/** Where a run can be stopped: before any call, or only where the engine lets others write in between. */
export type Stops = 'every-call' | 'between-transactions'

/** Whether a call that is under way waits for somebody else; asked again and again until it does or ends. */
export type IsWaiting = (call: { readonly rounds: number }) => boolean | Promise<boolean>

/**
 * Runs `first` up to its `pauseAt`-th stop, then `second` as far as it gets, then both to the end.
 *
 * @returns what became of both, or `undefined` when `first` has fewer stops: then all interleavings were seen.
 */
export async function interleave<A, B>(
  pauseAt: number,
  {
    first,
    second,
    isWaiting,
    stops,
  }: { first: () => Promise<A>; second: () => Promise<B>; isWaiting: IsWaiting; stops: Stops },
): Promise<readonly [PromiseSettledResult<A>, PromiseSettledResult<B>] | undefined> {
  const stopped = new Runner(pauseAt, stops)
  const free = new Runner(Number.POSITIVE_INFINITY, stops)
  const one = stopped.run(first)
  const paused = await Promise.race([stopped.paused.then(() => true), one.then(() => false)])
  if (!paused) return undefined
  const two = free.run(second)
  await free.untilStuck(isWaiting)
  stopped.resume()
  return Promise.all([one, two])
}

const runners = new AsyncLocalStorage<Runner>()

/** Somebody whose calls of the database are counted. */
class Runner {
  readonly paused: Promise<void>
  readonly resume: () => void
  readonly #pauseAt: number
  readonly #stops: Stops
  readonly #onPause: () => void
  readonly #resumed: Promise<void>
  #calls = 0
  #passed = 0
  /** Calls since the transaction began; 0 outside of one. */
  #inside = 0
  #underWay = 0
  #ended = false

  constructor(pauseAt: number, stops: Stops) {
    this.#pauseAt = pauseAt
    this.#stops = stops
    const pause = Promise.withResolvers<void>()
    const resume = Promise.withResolvers<void>()
    this.paused = pause.promise
    this.#onPause = pause.resolve
    this.#resumed = resume.promise
    this.resume = resume.resolve
  }

  async run<T>(work: () => Promise<T>): Promise<PromiseSettledResult<T>> {
    const [result] = await runners.run(this, () => Promise.allSettled([work()]))
    this.#ended = true
    return result
  }

  async step<T>(kind: 'begin' | 'query' | 'end', call: () => Promise<T>): Promise<T> {
    // The engine's own `begin` may be a query: that is still one call.
    if (this.#underWay > 0) return call()
    this.#calls++
    // Inside of a transaction of SQLite nobody else writes: one stop there is as good as another.
    const isStop = this.#stops === 'every-call' || this.#inside < 2
    if (kind === 'begin') this.#inside = 1
    else if (kind === 'end') this.#inside = 0
    else if (this.#inside > 0) this.#inside++
    if (isStop && this.#passed++ === this.#pauseAt) {
      this.#onPause()
      await this.#resumed
    }
    this.#underWay++
    try {
      return await call()
    } finally {
      this.#underWay--
    }
  }

  async untilStuck(isWaiting: IsWaiting): Promise<void> {
    for (let rounds = 0, calls = -1; !this.#ended; rounds++) {
      if (this.#underWay === 0 || this.#calls !== calls) rounds = 0
      else if (await isWaiting({ rounds })) return
      calls = this.#calls
      await nextRound()
    }
  }
}

function steppableDriver(driver: Driver): Driver {
  const seen = new WeakSet<DatabaseConnection>()
  const step = <T>(kind: 'begin' | 'query' | 'end', call: () => Promise<T>): Promise<T> =>
    runners.getStore()?.step(kind, call) ?? call()
  return {
    init: () => driver.init(),
    async acquireConnection() {
      const connection = await driver.acquireConnection()
      if (!seen.has(connection)) {
        seen.add(connection)
        const executeQuery = connection.executeQuery.bind(connection)
        connection.executeQuery = (query, options) => step('query', () => executeQuery(query, options))
      }
      return connection
    },
    beginTransaction: (connection, settings) =>
      step('begin', () => driver.beginTransaction(connection, settings)),
    commitTransaction: (connection) => step('end', () => driver.commitTransaction(connection)),
    rollbackTransaction: (connection) => step('end', () => driver.rollbackTransaction(connection)),
    releaseConnection: (connection) => driver.releaseConnection(connection),
    destroy: () => driver.destroy(),
  }
}
