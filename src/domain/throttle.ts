import type { Seconds, UnixSeconds } from './time.ts'

/**
 * What is remembered of the attempts under one key.
 *
 * An attempt is charged before the secret is looked at, so `count` holds attempts that are under way too.
 */
export interface Attempts {
  readonly count: number
  /** When the first attempt of the window (`window`) or the last attempt (`consecutive`) was charged. */
  readonly since: UnixSeconds
  /** No attempt before this instant; 0 when none is waited for. */
  readonly blockedUntil: UnixSeconds
}

/**
 * A limit on guessing.
 *
 * `consecutive`: `free` attempts come without a wait, each further one after a wait that doubles from `firstWait` to
 * `longestWait`; the count is forgotten after `forgetAfter` without an attempt, or never.
 * `window`: `limit` attempts in `window` seconds, then none until the window ends.
 */
export type ThrottleRule =
  | {
      readonly kind: 'consecutive'
      readonly free: number
      readonly firstWait: Seconds
      readonly longestWait: Seconds
      readonly forgetAfter: Seconds | 'never'
    }
  | { readonly kind: 'window'; readonly limit: number; readonly window: Seconds }

export type Charge =
  | { readonly kind: 'charged'; readonly attempts: Attempts }
  | { readonly kind: 'throttled'; readonly wait: Seconds }

/** The wait that follows the `count`-th consecutive attempt: none, then doubling up to the longest. */
export function waitAfter(
  count: number,
  rule: { readonly free: number; readonly firstWait: Seconds; readonly longestWait: Seconds },
): Seconds {
  if (count < rule.free) return 0
  // 2^31 times one second is past any longest wait; a larger exponent would only lose precision.
  return Math.min(rule.longestWait, rule.firstWait * 2 ** Math.min(count - rule.free, 31))
}

/** Charges one attempt, or says how long to wait. An attempt that is refused changes nothing. */
export function charge(before: Attempts | undefined, rule: ThrottleRule, now: UnixSeconds): Charge {
  const wait = secondsToWait(before, rule, now)
  if (wait > 0) return { kind: 'throttled', wait }
  const count = remembered(before, rule, now) + 1
  if (rule.kind === 'consecutive') {
    const pause = waitAfter(count, rule)
    return { kind: 'charged', attempts: { count, since: now, blockedUntil: pause === 0 ? 0 : now + pause } }
  }
  const since = before !== undefined && count > 1 ? before.since : now
  return {
    kind: 'charged',
    attempts: { count, since, blockedUntil: count >= rule.limit ? since + rule.window : 0 },
  }
}

/**
 * Gives one charged attempt back because it turned out right.
 *
 * Takes back one's own charge only: whoever signs in does not wipe out what others were charged (SEC-RATE-4, L-29).
 */
export function refund(attempts: Attempts, rule: ThrottleRule): Attempts {
  const count = Math.max(0, attempts.count - 1)
  const limit = rule.kind === 'consecutive' ? rule.free : rule.limit
  return { ...attempts, count, blockedUntil: count < limit ? 0 : attempts.blockedUntil }
}

/**
 * Seconds until the next attempt is looked at; 0 when it may come now.
 *
 * A clock that was set back cannot stretch a wait beyond the longest the rule knows (FT-CLOCK-1).
 */
export function secondsToWait(attempts: Attempts | undefined, rule: ThrottleRule, now: UnixSeconds): Seconds {
  if (attempts === undefined) return 0
  const wait = attempts.blockedUntil - now
  const longest = rule.kind === 'consecutive' ? rule.longestWait : rule.window
  return wait > 0 && wait <= longest ? wait : 0
}

function remembered(before: Attempts | undefined, rule: ThrottleRule, now: UnixSeconds): number {
  if (before === undefined) return 0
  if (rule.kind === 'consecutive') {
    const forgotten = rule.forgetAfter !== 'never' && now - before.since >= rule.forgetAfter
    return forgotten ? 0 : before.count
  }
  const age = now - before.since
  return age >= 0 && age < rule.window ? before.count : 0
}
