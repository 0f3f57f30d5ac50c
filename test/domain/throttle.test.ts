import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  type Attempts,
  charge,
  refund,
  secondsToWait,
  type ThrottleRule,
  waitAfter,
} from '../../src/domain/throttle.ts'
import { modelOf } from './throttle-model.ts'

const perAccount = {
  kind: 'consecutive',
  free: 5,
  firstWait: 30,
  longestWait: 3600,
  forgetAfter: 86_400,
} as const satisfies ThrottleRule
const perNetwork = { kind: 'window', limit: 100, window: 600 } as const satisfies ThrottleRule
const start = 1_790_000_000

/** Charges an attempt that must be let through. */
function charged(before: Attempts | undefined, rule: ThrottleRule, now: number): Attempts {
  const outcome = charge(before, rule, now)
  if (outcome.kind === 'throttled') assert.fail(`throttled for ${outcome.wait} seconds`)
  return outcome.attempts
}

/** Charges `count` attempts, each at the first moment it is let through; gives the waits before them, too. */
function chargedInARow(count: number, rule: ThrottleRule, from = start) {
  let attempts: Attempts | undefined
  let now = from
  const waits: number[] = []
  for (let i = 0; i < count; i++) {
    const wait = secondsToWait(attempts, rule, now)
    waits.push(wait)
    now += wait
    attempts = charged(attempts, rule, now)
  }
  return { attempts: attempts ?? assert.fail(), waits, now }
}

describe('wrong passwords in a row', () => {
  it('are waited for 0 seconds five times, then 30, 60, 120 and so on up to an hour', () => {
    const { waits } = chargedInARow(16, perAccount)
    assert.deepEqual(waits, [0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600])
  })

  it('are refused one second before the wait is over and let through at its end', () => {
    const { attempts, now } = chargedInARow(7, perAccount)
    const refused = charge(attempts, perAccount, now + 119)
    assert.deepEqual(charge(attempts, perAccount, now), { kind: 'throttled', wait: 120 })
    assert.deepEqual(refused, { kind: 'throttled', wait: 1 })
    assert.equal(charged(attempts, perAccount, now + 120).count, 8)
  })

  it('are forgotten a day after the last, not a second sooner', () => {
    const { attempts, now } = chargedInARow(12, perAccount)
    assert.equal(charged(attempts, perAccount, now + 86_399).count, 13)
    assert.deepEqual(charged(attempts, perAccount, now + 86_400), {
      count: 1,
      since: now + 86_400,
      blockedUntil: 0,
    })
  })

  it('are never forgotten where the rule says never', () => {
    const rule = { ...perAccount, forgetAfter: 'never' } as const
    const { attempts, now } = chargedInARow(12, rule)
    assert.equal(charged(attempts, rule, now + 10 * 365 * 86_400).count, 13)
  })

  it('have a longest wait that no number of them exceeds', () => {
    for (const count of [5, 12, 31, 36, 37, 100, 1100, 2 ** 31, Number.MAX_SAFE_INTEGER]) {
      const wait = waitAfter(count, perAccount)
      assert.ok(Number.isSafeInteger(wait) && wait >= 30 && wait <= 3600, `${count}: ${wait}`)
    }
    assert.equal(waitAfter(4, perAccount), 0)
    assert.equal(waitAfter(Number.MAX_SAFE_INTEGER, perAccount), 3600)
  })
})

describe('attempts in a window', () => {
  it('pass up to the limit, and the next waits until the window ends', () => {
    let attempts: Attempts | undefined
    for (let i = 0; i < 100; i++) {
      assert.equal(secondsToWait(attempts, perNetwork, start + i), 0)
      attempts = charged(attempts, perNetwork, start + i)
    }
    assert.equal(attempts?.count, 100)
    assert.deepEqual(charge(attempts, perNetwork, start + 99), { kind: 'throttled', wait: 501 })
    assert.deepEqual(charge(attempts, perNetwork, start + 599), { kind: 'throttled', wait: 1 })
    assert.deepEqual(charged(attempts, perNetwork, start + 600), {
      count: 1,
      since: start + 600,
      blockedUntil: 0,
    })
  })

  it('are counted from the first of them, and from the next one after the window ended', () => {
    const first = charged(undefined, perNetwork, start)
    const second = charged(first, perNetwork, start + 599)
    assert.deepEqual([second.count, second.since], [2, start])
    const third = charged(second, perNetwork, start + 600)
    assert.deepEqual([third.count, third.since], [1, start + 600])
  })
})

describe('giving an attempt back (SEC-RATE-4, L-29)', () => {
  for (const rule of [perAccount, perNetwork]) {
    it(`takes away one charge and not those of others (${rule.kind})`, () => {
      const four = chargedInARow(4, rule).attempts
      assert.deepEqual(refund(four, rule), { ...four, count: 3 })
    })

    it(`never makes a count negative (${rule.kind})`, () => {
      let attempts = chargedInARow(2, rule).attempts
      for (let i = 0; i < 5; i++) attempts = refund(attempts, rule)
      assert.equal(attempts.count, 0)
      assert.equal(charged(attempts, rule, start + 10).count, 1)
    })
  }

  it('does not let guesses through that are mixed with own sign-ins', () => {
    let attempts: Attempts | undefined
    let guesses = 0
    for (let i = 0; i < 1000; i++) {
      if (secondsToWait(attempts, perNetwork, start) > 0) break
      attempts = refund(charged(attempts, perNetwork, start), perNetwork)
      if (secondsToWait(attempts, perNetwork, start) > 0) break
      attempts = charged(attempts, perNetwork, start)
      guesses++
    }
    assert.equal(guesses, 100)
  })

  it('ends a wait that the charge itself began, and no other', () => {
    const five = chargedInARow(5, perAccount).attempts
    assert.equal(secondsToWait(five, perAccount, start), 30)
    assert.equal(secondsToWait(refund(five, perAccount), perAccount, start), 0)
    const { attempts: seven, now } = chargedInARow(7, perAccount)
    assert.equal(secondsToWait(refund(seven, perAccount), perAccount, now), 120)
  })
})

describe('a clock that is set back (FT-CLOCK-1)', () => {
  const setBack = [1, 29, 30, 31, 3599, 3600, 3601, 86_400, 10 * 365 * 86_400]

  it('stretches no wait beyond the longest of the rule', () => {
    for (const rule of [perAccount, perNetwork]) {
      for (const count of [1, 5, 6, 12, 100]) {
        const { attempts, now } = chargedInARow(count, rule)
        const longest = rule.kind === 'consecutive' ? rule.longestWait : rule.window
        for (const by of setBack) {
          const wait = secondsToWait(attempts, rule, now - by)
          assert.ok(wait >= 0 && wait <= longest, `${rule.kind}, ${count} attempts, back by ${by}: ${wait}`)
        }
      }
    }
  })

  it('does not make the attempts in a row forgotten', () => {
    const { attempts, now } = chargedInARow(12, perAccount)
    for (const by of [86_400, 10 * 365 * 86_400]) {
      const next = charged(attempts, perAccount, now - by)
      assert.equal(next.count, 13)
      assert.equal(secondsToWait(next, perAccount, now - by), 3600)
    }
  })

  it('begins a new window, which has the limit and the length of any other', () => {
    const { attempts } = chargedInARow(100, perNetwork)
    const back = start - 86_400
    assert.deepEqual(charged(attempts, perNetwork, back), { count: 1, since: back, blockedUntil: 0 })
  })
})

const moves = fc.oneof(
  fc.constant(0),
  fc.constant(1),
  fc.integer({ min: 0, max: 40 }),
  fc.integer({ min: 0, max: 4000 }),
  fc.constant('to the end' as const),
  fc.constant('to a second before the end' as const),
  fc.integer({ min: -5000, max: -1 }),
)
const steps = fc.array(
  fc.record({ move: moves, action: fc.constantFrom('attempt', 'attempt', 'attempt', 'refund', 'ask') }),
  { maxLength: 30 },
)
const consecutiveRule = fc.record({
  kind: fc.constant('consecutive' as const),
  free: fc.integer({ min: 0, max: 6 }),
  firstWait: fc.integer({ min: 1, max: 60 }),
  longestWait: fc.integer({ min: 60, max: 900 }),
  forgetAfter: fc.oneof(fc.constant('never' as const), fc.integer({ min: 1, max: 3000 })),
})
const windowRule = fc.record({
  kind: fc.constant('window' as const),
  limit: fc.integer({ min: 1, max: 8 }),
  window: fc.integer({ min: 1, max: 900 }),
})

describe('a limit, over any sequence of attempts, refunds and moves of the clock (FT-CLOCK-2)', () => {
  for (const [kind, anyRule] of [
    ['consecutive', consecutiveRule],
    ['window', windowRule],
  ] as const) {
    it(`does what a slow model of the rule does (${kind}, 10,000 sequences)`, () => {
      fc.assert(
        fc.property(anyRule, steps, (rule, sequence) => {
          const model = modelOf(rule)
          let attempts: Attempts | undefined
          let now = start
          for (const { move, action } of sequence) {
            if (move === 'to the end') now += model.wait(now)
            else if (move === 'to a second before the end') now += Math.max(0, model.wait(now) - 1)
            else now += move
            const wait = model.wait(now)
            assert.equal(secondsToWait(attempts, rule, now), wait)
            if (action === 'attempt') {
              const outcome = charge(attempts, rule, now)
              if (outcome.kind === 'throttled') assert.equal(outcome.wait, wait)
              else {
                assert.equal(wait, 0)
                attempts = outcome.attempts
                model.attempt(now)
              }
            } else if (action === 'refund' && attempts !== undefined) {
              attempts = refund(attempts, rule)
              model.giveBack()
            }
            assert.equal(attempts?.count ?? 0, model.counted())
          }
        }),
        { numRuns: 10_000 },
      )
    })
  }
})
