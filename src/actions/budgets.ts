import { networksOf } from '../domain/network.ts'
import type { TokenHash } from '../domain/token.ts'
import { normalizeUsername, type UserId } from '../domain/user.ts'
import type { Services } from '../services.ts'
import type { Caller } from './caller.ts'
import type { Budget } from './spend-attempt.ts'

/** Keys of budgets that are never forgotten begin with this. */
export const CODE_PREFIX = 'code:'

/**
 * What a password attempt counts against.
 *
 * Every spelling of a name is one budget, and names that belong to nobody have budgets too. A browser that the
 * user signed in with before has a budget of its own and is not slowed by what strangers did (SEC-RATE-5).
 */
export function passwordBudgets(
  { sealer, policy }: Pick<Services, 'sealer' | 'policy'>,
  {
    username,
    caller,
    knownBrowser,
  }: { username: string; caller: Caller; knownBrowser: TokenHash | undefined },
): Budget[] {
  const { throttle } = policy
  if (knownBrowser !== undefined) {
    return [{ key: `browser:${knownBrowser}`, rule: throttle.password, onSuccess: 'clear' }]
  }
  const { network, site } = networksOf(caller.address)
  return [
    { key: nameKey(sealer, username), rule: throttle.password, onSuccess: 'clear' },
    { key: `network:${network}`, rule: throttle.network, onSuccess: 'refund' },
    { key: `site:${site}`, rule: throttle.site, onSuccess: 'refund' },
    { key: 'server:password', rule: throttle.server, onSuccess: 'refund' },
  ]
}

/** What any kind of code counts against: one budget for each user (SEC-OTP-6, SEC-REC-4). */
export function codeBudget({ policy }: Pick<Services, 'policy'>, userId: UserId): Budget {
  return { key: codeKey(userId), rule: policy.throttle.code, onSuccess: 'clear' }
}

export const codeKey = (userId: UserId): string => `${CODE_PREFIX}${userId}`

export const nameKey = (sealer: Services['sealer'], username: string): string =>
  `password:${sealer.hashName(normalizeUsername(username))}`
