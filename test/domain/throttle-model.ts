import type { ThrottleRule } from '../../src/domain/throttle.ts'

type Consecutive = Extract<ThrottleRule, { kind: 'consecutive' }>
type Window = Extract<ThrottleRule, { kind: 'window' }>

/** What happened under one key: an attempt that was let through, or one charge given back. */
type Entry = { readonly at: number } | 'given back'

/**
 * A limit told the slow way: the whole history is kept, and gone through again for every question.
 *
 * Written from the words of the rule, not from `throttle.ts`, to be compared with it.
 */
export interface Model {
  /** Seconds to wait before an attempt at `now` is let through. */
  wait(now: number): number
  attempt(now: number): void
  giveBack(): void
  /** Attempts that count at this moment. */
  counted(): number
}

export function modelOf(rule: ThrottleRule): Model {
  const history: Entry[] = []
  const state = () => (rule.kind === 'consecutive' ? consecutive(history, rule) : windows(history, rule))
  const longest = rule.kind === 'consecutive' ? rule.longestWait : rule.window
  return {
    wait(now) {
      const { opensAt } = state()
      // More than the longest wait can lie ahead only where the clock was set back.
      return opensAt > now && opensAt - now <= longest ? opensAt - now : 0
    },
    attempt: (now) => void history.push({ at: now }),
    giveBack: () => void history.push('given back'),
    counted: () => state().counted,
  }
}

function consecutive(history: readonly Entry[], rule: Consecutive): { counted: number; opensAt: number } {
  let row: number[] = []
  let last = Number.NEGATIVE_INFINITY
  let opensAt = 0
  for (const entry of history) {
    if (entry === 'given back') {
      row = row.slice(1)
      if (row.length < rule.free) opensAt = 0
      continue
    }
    if (rule.forgetAfter !== 'never' && entry.at >= last + rule.forgetAfter) row = []
    row = [...row, entry.at]
    last = entry.at
    opensAt = row.length < rule.free ? 0 : entry.at + doubled(row.length - rule.free, rule)
  }
  return { counted: row.length, opensAt }
}

function doubled(times: number, rule: Consecutive): number {
  let wait = rule.firstWait
  for (let i = 0; i < times && wait < rule.longestWait; i++) wait += wait
  return wait < rule.longestWait ? wait : rule.longestWait
}

function windows(history: readonly Entry[], rule: Window): { counted: number; opensAt: number } {
  let inside: number[] = []
  let from = 0
  let opensAt = 0
  for (const entry of history) {
    if (entry === 'given back') {
      inside = inside.slice(1)
      if (inside.length < rule.limit) opensAt = 0
      continue
    }
    const until = from + rule.window
    if (inside.length > 0 && entry.at >= from && entry.at < until) inside = [...inside, entry.at]
    else {
      inside = [entry.at]
      from = entry.at
    }
    opensAt = inside.length < rule.limit ? 0 : from + rule.window
  }
  return { counted: inside.length, opensAt }
}
