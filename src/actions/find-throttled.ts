import { secondsToWait, type ThrottleRule } from '../domain/throttle.ts'
import type { Seconds } from '../domain/time.ts'
import type { UserId } from '../domain/user.ts'
import type { Services } from '../services.ts'
import { readAttempts } from '../store/views/read-attempts.ts'
import { listThrottledCandidates } from '../store/views/throttled-candidates.ts'
import { codeKey, nameKey } from './budgets.ts'

/** Users whose codes or passwords have to wait at this moment; a thousand at most. */
export async function findThrottled({
  db,
  now: clock,
  sealer,
  policy,
}: Pick<Services, 'db' | 'now' | 'sealer' | 'policy'>): Promise<readonly UserId[]> {
  const now = clock()
  const { password, code } = policy.throttle
  // A wait that began earlier than the longest one is over.
  const since = now - Math.max(longest(password), longest(code))
  const candidates = await listThrottledCandidates(db, since)
  if (candidates.length === 0) return []
  const keyed = candidates.map(({ id, username }) => {
    return { id, codes: codeKey(id), passwords: nameKey(sealer, username) }
  })
  const charged = await readAttempts(
    db,
    keyed.flatMap(({ codes, passwords }) => [codes, passwords]),
  )
  return keyed
    .filter(
      ({ codes, passwords }) =>
        secondsToWait(charged.get(codes), code, now) > 0 ||
        secondsToWait(charged.get(passwords), password, now) > 0,
    )
    .map(({ id }) => id)
}

const longest = (rule: ThrottleRule): Seconds =>
  rule.kind === 'consecutive' ? rule.longestWait : rule.window
