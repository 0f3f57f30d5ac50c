import { secondsToWait } from '../domain/throttle.ts'
import type { Seconds } from '../domain/time.ts'
import type { User } from '../domain/user.ts'
import type { Services } from '../services.ts'
import { readAttempts } from '../store/views/read-attempts.ts'
import { codeKey, nameKey } from './budgets.ts'

/** How long the next password and the next code of a user have to wait; 0 for not at all. */
export interface Waits {
  readonly password: Seconds
  readonly code: Seconds
}

/** Looks up the waits of a user; what the network or the whole server has to wait for is not theirs. */
export async function lookUpWaits(
  { db, now: clock, sealer, policy }: Pick<Services, 'db' | 'now' | 'sealer' | 'policy'>,
  user: Pick<User, 'id' | 'username'>,
): Promise<Waits> {
  const now = clock()
  const keys = { password: nameKey(sealer, user.username), code: codeKey(user.id) }
  const attempts = await readAttempts(db, Object.values(keys))
  return {
    password: secondsToWait(attempts.get(keys.password), policy.throttle.password, now),
    code: secondsToWait(attempts.get(keys.code), policy.throttle.code, now),
  }
}
