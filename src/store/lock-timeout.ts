import { StorageFault } from '../domain/faults.ts'

/** What PostgreSQL says when `lock_timeout` is over. */
const LOCK_NOT_AVAILABLE = '55P03'

/** Whether somebody held what was asked for longer than was to be waited. */
export function isLockTimeout(error: unknown): boolean {
  const cause = error instanceof StorageFault ? error.cause : error
  return cause instanceof Error && 'code' in cause && cause.code === LOCK_NOT_AVAILABLE
}
