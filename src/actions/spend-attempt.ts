import { type Attempts, charge, refund, secondsToWait, type ThrottleRule } from '../domain/throttle.ts'
import type { Seconds, UnixSeconds } from '../domain/time.ts'
import * as attempts from '../store/attempts.ts'
import type { Db } from '../store/database.ts'

/** One limit that an attempt counts against. */
export interface Budget {
  readonly key: string
  readonly rule: ThrottleRule
  /** Whether a success forgets the whole count, as for one account, or gives back its own charge only (SEC-RATE-4). */
  readonly onSuccess: 'clear' | 'refund'
}

export type SpendOutcome =
  | {
      readonly kind: 'charged'
      readonly budgets: readonly Budget[]
      readonly counts: ReadonlyMap<string, number>
      /** What was charged before, to be put back if the attempt turns out to be none. */
      readonly before: ReadonlyMap<string, Attempts>
      /** The waits that begin with this attempt, for the audit log. */
      readonly begun: readonly { readonly budget: string; readonly wait: Seconds }[]
    }
  | { readonly kind: 'throttled'; readonly wait: Seconds }

/**
 * Charges an attempt against every budget, before the secret is looked at; or charges none and says how long to wait.
 *
 * The rows stay locked until the transaction ends, so parallel attempts come one after another (SEC-RATE-1).
 */
export async function spendAttempt(
  tx: Db,
  budgets: readonly Budget[],
  now: UnixSeconds,
): Promise<SpendOutcome> {
  const ordered = inOrder(budgets)
  const before = await attempts.hold(
    tx,
    ordered.map(({ key }) => key),
  )
  const after = new Map<string, Attempts>()
  let wait = 0
  for (const { key, rule } of ordered) {
    const outcome = charge(before.get(key), rule, now)
    if (outcome.kind === 'throttled') wait = Math.max(wait, outcome.wait)
    else after.set(key, outcome.attempts)
  }
  if (wait > 0) return { kind: 'throttled', wait }
  await attempts.put(tx, after)
  const begun = ordered.flatMap(({ key, rule }) => {
    const pause = secondsToWait(after.get(key), rule, now)
    return pause > 0 ? [{ budget: key.split(':', 1)[0] ?? '', wait: pause }] : []
  })
  return {
    kind: 'charged',
    budgets: ordered,
    counts: new Map([...after].map(([key, { count }]) => [key, count])),
    before,
    begun,
  }
}

/** Undoes a charge in the transaction that made it: waits included, as if nothing had been tried. */
export async function undoAttempt(
  tx: Db,
  { before }: Extract<SpendOutcome, { kind: 'charged' }>,
): Promise<void> {
  const untouched = [...before].filter(([, { count }]) => count === 0).map(([key]) => key)
  await attempts.clear(tx, untouched)
  await attempts.put(tx, new Map([...before].filter(([, { count }]) => count > 0)))
}

/** Settles an attempt that turned out right: the account's counts are forgotten, shared ones get their own charge back. */
export async function settleAttempt(tx: Db, budgets: readonly Budget[]): Promise<void> {
  const own = budgets.filter(({ onSuccess }) => onSuccess === 'clear')
  const shared = budgets.filter(({ onSuccess }) => onSuccess === 'refund')
  if (shared.length > 0) await refundAttempt(tx, budgets, shared)
  await attempts.clear(
    tx,
    own.map(({ key }) => key),
  )
}

/** Gives an attempt's own charge back; `held` are all the budgets that the transaction takes hold of with them. */
export async function refundAttempt(
  tx: Db,
  held: readonly Budget[],
  refunded: readonly Budget[] = held,
): Promise<void> {
  const ordered = inOrder(held)
  const before = await attempts.hold(
    tx,
    ordered.map(({ key }) => key),
  )
  const after = new Map<string, Attempts>()
  for (const { key, rule } of refunded) {
    const charged = before.get(key)
    if (charged !== undefined) after.set(key, refund(charged, rule))
  }
  await attempts.put(tx, after)
}

/** Takes hold of budgets, for a transaction that will settle or refund them later. */
export async function holdBudgets(tx: Db, budgets: readonly Budget[]): Promise<void> {
  await attempts.hold(
    tx,
    inOrder(budgets).map(({ key }) => key),
  )
}

/** One order for everybody: two transactions that want the same rows must not wait for each other. */
function inOrder(budgets: readonly Budget[]): Budget[] {
  return budgets.toSorted((a, b) => (a.key < b.key ? -1 : 1))
}
