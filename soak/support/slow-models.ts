import { createHmac } from 'node:crypto'
import type { SessionRules } from '../../src/domain/session.ts'

// The rules told the slow way, from their words and not from the code that they are compared with: the whole history is
// kept, and gone through again for every question.

/** A code as RFC 6238 and RFC 4226 §5.3 say it, in one piece. */
export function slowCode(key: Uint8Array, step: number): string {
  const counter = Buffer.from(step.toString(16).padStart(16, '0'), 'hex')
  const mac = createHmac('sha1', key).update(counter).digest('hex')
  const offset = Number.parseInt(mac.slice(-1), 16) * 2
  const number = BigInt(`0x${mac.slice(offset, offset + 8)}`) % 2n ** 31n
  return (number % 1_000_000n).toString().padStart(6, '0')
}

/** What is known of one authenticator: every step that was ever accepted, and how far off its clock was each time. */
export class SlowWindow {
  readonly #accepted: { readonly step: number; readonly ahead: number }[] = []
  readonly #key: Uint8Array
  readonly #window: number

  constructor(key: Uint8Array, window: number) {
    this.#key = key
    this.#window = window
  }

  /** Says which step a code is taken for, and remembers it; or why it is not. */
  send(code: string, now: number): number | 'repeat' | 'none' {
    const ofServer = Math.floor(now / 30)
    const last = this.#accepted.at(-1)
    // Learnt drift moves the window, by no more than it is wide, nor further than two steps from our own clock.
    const furthest = this.#window === 1 ? 1 : 0
    const drift = Math.max(0 - furthest, Math.min(furthest, last?.ahead ?? 0))
    const inside: number[] = []
    for (let away = 0 - this.#window; away <= this.#window; away++) inside.push(ofServer + drift + away)
    const fitting = inside.filter((step) => step >= 0 && slowCode(this.#key, step) === code)
    const unused = fitting.filter((step) => this.#accepted.every((each) => each.step < step))
    const step = unused.at(-1)
    if (step !== undefined) {
      this.#accepted.push({ step, ahead: step - ofServer })
      return step
    }
    return last !== undefined && fitting.includes(last.step) ? 'repeat' : 'none'
  }
}

/** How far the clocks of two hosts may be apart. */
const SKEW = 10

/** A session, by all that happened in it. */
export class SlowSession {
  readonly #began: number
  readonly #uses: number[] = []
  readonly #rules: SessionRules

  constructor(now: number, rules: SessionRules) {
    this.#began = now
    this.#uses.push(now)
    this.#rules = rules
  }

  /** Used less than so long ago on either side of the clock, begun less than so long ago, and not in the future. */
  holds(now: number): boolean {
    const last = this.#uses.at(-1) ?? this.#began
    const age = now - this.#began
    const idle = Math.abs(now - last)
    return idle < this.#rules.idleTimeout && age < this.#rules.absoluteLifetime && age >= 0 - SKEW
  }

  /** Whether a dangerous change may be made without another proof. */
  isFresh(now: number): boolean {
    const age = now - this.#began
    return age >= 0 - SKEW && age < this.#rules.freshFor
  }

  /** A request; written down once a minute, or after a tenth of a short idle limit. */
  use(now: number): 'written' | 'not worth it' {
    const last = this.#uses.at(-1) ?? this.#began
    const worth = Math.min(60, Math.floor(this.#rules.idleTimeout / 10))
    if (Math.abs(now - last) < worth) return 'not worth it'
    this.#uses.push(now)
    return 'written'
  }
}
