import { StorageFault, UncertainCommit } from '../domain/faults.ts'
import type { Db } from './database.ts'

/** serialization_failure and deadlock_detected: nothing was stored, and the same may succeed now (PostgreSQL). */
const worthRepeating: ReadonlySet<unknown> = new Set(['40001', '40P01'])

/** How often a transaction is begun in all. */
const TRIES = 3

const unrepeatable = new WeakSet<object>()

/** Work of a transaction that does more than the transaction can undo, and that is therefore never begun twice. */
export function onlyOnce<Work extends object>(work: Work): Work {
  unrepeatable.add(work)
  return work
}

/**
 * Lets transactions that lost against another one begin anew, twice at most; the work of each must be its statements alone.
 *
 * Nothing else is repeated, least of all a commit of which nobody knows whether it was stored.
 */
export function repeatingTransactions(db: Db): Db {
  const begin = db.transaction.bind(db)
  db.transaction = () => {
    const builder = begin()
    const execute = builder.execute.bind(builder)
    builder.execute = async (work) => {
      for (let tries = 1; ; tries++) {
        try {
          return await execute(work)
        } catch (error) {
          if (tries === TRIES || unrepeatable.has(work) || !hasLost(error)) throw error
        }
      }
    }
    return builder
  }
  return db
}

function hasLost(error: unknown): boolean {
  if (!(error instanceof StorageFault) || error instanceof UncertainCommit) return false
  const { cause } = error
  if (!(cause instanceof Error && 'code' in cause)) return false
  return worthRepeating.has(cause.code) || isForNewMonth(cause)
}

/** An event was on its way to the part for all others when its month got a part of its own (PostgreSQL, check_violation). */
const isForNewMonth = (cause: Error & { code: unknown; table?: unknown }): boolean =>
  cause.code === '23514' && cause.table === 'audit_event_other'
