import { StorageFault } from '../domain/faults.ts'

/** What PostgreSQL may say that somebody here acts upon (PostgreSQL, appendix A). */
export const sqlStates = {
  checkViolation: '23514',
  /** What the connection leads to has become a replica, or was set to be read only. */
  readOnlyTransaction: '25006',
  serializationFailure: '40001',
  completionUnknown: '40003',
  deadlockDetected: '40P01',
  /** `lock_timeout` is over. */
  lockNotAvailable: '55P03',
} as const

/** What PostgreSQL said; `undefined` for a fault of another kind. */
export function sqlStateOf(error: unknown): unknown {
  const cause = error instanceof StorageFault ? error.cause : error
  return cause instanceof Error && 'code' in cause ? cause.code : undefined
}

/** Whether somebody held what was asked for longer than was to be waited, or waited for what we held. */
export function isLockConflict(error: unknown): boolean {
  const state = sqlStateOf(error)
  // A deadlock may be noticed before the time-out.
  return state === sqlStates.lockNotAvailable || state === sqlStates.deadlockDetected
}
