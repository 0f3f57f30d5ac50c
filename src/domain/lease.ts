import { createHash } from 'node:crypto'
import type { AccessPolicy } from './access.ts'
import { expiryOf, type SessionRules, type SessionTimes } from './session.ts'
import type { UnixSeconds } from './time.ts'
import type { Token } from './token.ts'

/**
 * Whether a policy lets Apache admit again without asking.
 *
 * Not where the address decides, nor where the application is told by an assertion, which no file shall hold.
 */
export function isLeased({
  lease,
  networks,
  assertion,
}: Pick<AccessPolicy, 'lease' | 'networks' | 'assertion'>): boolean {
  return lease > 0 && networks.length === 0 && !assertion
}

/**
 * Until when what was just decided about a session may be repeated without asking; `undefined` for not at all.
 *
 * No later than the session or the age of its proof would end it. Half of the idle time at most: what is admitted by a
 * lease is not seen as activity.
 */
export function leaseEnd(
  policy: Pick<AccessPolicy, 'lease' | 'networks' | 'assertion' | 'within'>,
  session: SessionTimes,
  { rules, now }: { readonly rules: SessionRules; readonly now: UnixSeconds },
): UnixSeconds | undefined {
  if (!isLeased(policy)) return undefined
  const { lease, within } = policy
  const end = Math.min(
    now + lease,
    now + Math.floor(rules.idleTimeout / 2),
    expiryOf(session, rules),
    within === undefined ? Number.POSITIVE_INFINITY : session.authTime + within,
  )
  return end > now ? end : undefined
}

/**
 * The name of the lease of one token at one origin, as Apache's `sha1()` makes it: 40 hex digits.
 *
 * Nothing rests on SHA-1 but that 256 random bits cannot be guessed from it. Those of the caller's secret
 * keep whoever made the folder while Watchword was not there, as any user may below `/tmp`, from putting a
 * lease where Apache looks.
 */
export function leaseName(secret: string, origin: string, token: Token): string {
  return createHash('sha1').update(`${secret} ${origin} ${token}`).digest('hex')
}
