import { StorageFault } from '../domain/faults.ts'

/** lock_not_available, when `lock_timeout` is over, and deadlock_detected, which may be noticed before (PostgreSQL). */
const codes: ReadonlySet<unknown> = new Set(['55P03', '40P01'])

/** Whether somebody held what was asked for longer than was to be waited, or waited for what we held. */
export function isLockTimeout(error: unknown): boolean {
  const cause = error instanceof StorageFault ? error.cause : error
  return cause instanceof Error && 'code' in cause && codes.has(cause.code)
}
