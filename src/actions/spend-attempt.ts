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
  | ({ readonly kind: 'charged' } & WeighedAttempt)
  | { readonly kind: 'throttled'; readonly wait: Seconds }

/** An attempt that may be made, with what it costs. */
export interface WeighedAttempt {
  readonly budgets: readonly Budget[]
  readonly counts: ReadonlyMap<string, number>
  readonly before: ReadonlyMap<string, Attempts>
  readonly after: ReadonlyMap<string, Attempts>
  /** The waits that begin with this attempt, for the audit log. */
  readonly begun: readonly { readonly budget: string; readonly wait: Seconds }[]
}

/** Charges an attempt against every budget, before the secret is looked at; or charges none and says how long to wait. */
export async function spendAttempt(
  tx: Db,
  budgets: readonly Budget[],
  now: UnixSeconds,
): Promise<SpendOutcome> {
  const outcome = await weighAttempt(tx, budgets, now)
  if (outcome.kind === 'throttled') return outcome
  await chargeAttempt(tx, outcome)
  return { ...outcome, kind: 'charged' }
}

/**
 * Says what an attempt costs, or how long to wait, for a transaction that looks at the secret itself and then charges
 * the attempt (`chargeAttempt`), forgets the count (`forgetAttempts`) or leaves it as it was (`dropAttempt`).
 *
 * The rows stay locked until the transaction ends, so parallel attempts come one after another (SEC-RATE-1).
 */
export async function weighAttempt(
  tx: Db,
  budgets: readonly Budget[],
  now: UnixSeconds,
): Promise<({ readonly kind: 'weighed' } & WeighedAttempt) | Extract<SpendOutcome, { kind: 'throttled' }>> {
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
  const begun = ordered.flatMap(({ key, rule }) => {
    const pause = secondsToWait(after.get(key), rule, now)
    return pause > 0 ? [{ budget: key.split(':', 1)[0] ?? '', wait: pause }] : []
  })
  const counts = new Map([...after].map(([key, { count }]) => [key, count]))
  return { kind: 'weighed', budgets: ordered, counts, before, after, begun }
}

/** Charges an attempt that was weighed in this transaction. */
export async function chargeAttempt(tx: Db, { after }: WeighedAttempt): Promise<void> {
  await attempts.put(tx, after)
}

/** Leaves everything as it was before an attempt was weighed in this transaction, as if nothing had been tried. */
export async function dropAttempt(tx: Db, { before }: WeighedAttempt): Promise<void> {
  await attempts.clearHeld(tx, new Map([...before].filter(([, { count }]) => count === 0)))
}

/** Forgets all counts of an attempt that was weighed in this transaction and turned out right. */
export async function forgetAttempts(tx: Db, { before }: WeighedAttempt): Promise<void> {
  await attempts.clearHeld(tx, before)
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
