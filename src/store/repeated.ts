import { StorageFault, UncertainCommit } from '../domain/faults.ts'
import type { Db } from './database.ts'
import { sqlStateOf, sqlStates } from './sql-state.ts'

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

/** Whether nothing was stored, and the same may succeed now. */
function hasLost(error: unknown): boolean {
  if (!(error instanceof StorageFault) || error instanceof UncertainCommit) return false
  const state = sqlStateOf(error)
  return (
    state === sqlStates.serializationFailure || state === sqlStates.deadlockDetected || isForNewMonth(error)
  )
}

/** An event was on its way to the part for all others when its month got a part of its own. */
function isForNewMonth(error: StorageFault): boolean {
  if (sqlStateOf(error) !== sqlStates.checkViolation) return false
  return (error.cause as { readonly table?: unknown }).table === 'audit_event_other' // PostgreSQL names the table.
}
