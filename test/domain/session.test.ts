import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { AuthenticationMethod } from '../../src/domain/login.ts'
import {
  expiryOf,
  isAlive,
  isFresh,
  isSeenStale,
  type SessionRules,
  type SessionTimes,
} from '../../src/domain/session.ts'
import { CLOCK_SKEW } from '../../src/domain/time.ts'

const hour = 3600
const rules: SessionRules = { idleTimeout: hour, absoluteLifetime: 12 * hour, freshFor: 300 }
const start = 1_790_000_000

/** A session that began at `start` and was last seen `seen` seconds later. */
const seenAfter = (seen: number): SessionTimes => ({
  authTime: start,
  lastSeenAt: start + seen,
  expiresAt: start + rules.absoluteLifetime,
})
const aliveAt = (times: SessionTimes, after: number) => isAlive(times, rules, start + after)

describe('a session', () => {
  it('holds from its first moment', () => {
    assert.equal(aliveAt(seenAfter(0), 0), true)
    assert.equal(aliveAt(seenAfter(0), 1), true)
  })

  it('holds until one second before its idle limit, and no longer (SEC-SES-5)', () => {
    for (const seen of [0, 1, 5 * hour]) {
      const times = seenAfter(seen)
      assert.equal(aliveAt(times, seen + hour - 1), true)
      assert.equal(aliveAt(times, seen + hour), false)
      assert.equal(aliveAt(times, seen + hour + 1), false)
    }
  })

  it('ends at its absolute limit however busy it is (SEC-SES-6)', () => {
    for (const [after, alive] of [
      [12 * hour - 1, true],
      [12 * hour, false],
      [12 * hour + 1, false],
    ] as const) {
      assert.equal(aliveAt(seenAfter(after), after), alive, `${after}`)
    }
  })

  it('ends at whichever limit comes first, and says so', () => {
    assert.equal(expiryOf(seenAfter(0), rules), start + hour)
    assert.equal(expiryOf(seenAfter(11 * hour), rules), start + 12 * hour)
    assert.equal(expiryOf(seenAfter(11 * hour - 1), rules), start + 12 * hour - 1)
    assert.equal(expiryOf(seenAfter(11.5 * hour), rules), start + 12 * hour)
  })

  it('holds until the moment that it says it ends, and not at it, whatever its limits', () => {
    const limit = fc.integer({ min: 1, max: 100_000 })
    fc.assert(
      fc.property(limit, limit, fc.nat(100_000), (idleTimeout, absoluteLifetime, seen) => {
        const any = { idleTimeout, absoluteLifetime, freshFor: 300 }
        const lastSeenAt = start + (seen % absoluteLifetime)
        const times = { authTime: start, lastSeenAt, expiresAt: start + absoluteLifetime }
        const end = expiryOf(times, any)
        assert.equal(isAlive(times, any, lastSeenAt), true)
        assert.equal(isAlive(times, any, end - 1), true)
        assert.equal(isAlive(times, any, end), false)
        assert.equal(isAlive(times, any, end + 1), false)
      }),
      { numRuns: 2000 },
    )
  })

  it('is not made longer by a clock that was set back (FT-CLOCK-1)', () => {
    const times = seenAfter(2 * hour)
    // Back within its life it holds, as the service must stay usable when the clock is right again.
    assert.equal(aliveAt(times, 2 * hour - 1), true)
    assert.equal(aliveAt(times, hour + 1), true)
    assert.equal(aliveAt(times, hour), false)
    assert.equal(aliveAt(times, hour - 1), false)
    for (const back of [CLOCK_SKEW + 1, hour, 86_400, 10 * 365 * 86_400]) {
      assert.equal(aliveAt(times, -back), false, `${back} before it began`)
      assert.equal(aliveAt(seenAfter(0), -back), false, `${back} before it began`)
    }
  })

  it('holds for no more seconds than its lifetime, wherever the clock jumps (FT-CLOCK-1)', () => {
    const small: SessionRules = { idleTimeout: 40, absoluteLifetime: 100, freshFor: 10 }
    for (let seen = 0; seen < 100; seen++) {
      const times = { authTime: start, lastSeenAt: start + seen, expiresAt: start + 100 }
      const holds = Array.from({ length: 600 }, (_, i) => i - 300).filter((after) =>
        isAlive(times, small, start + after),
      )
      assert.ok(holds.length <= 79, `${holds.length} seconds`)
      assert.ok(Math.min(...holds) >= -CLOCK_SKEW && Math.max(...holds) < 100, `${holds}`)
    }
  })

  it('holds at once on another host whose clock is a few seconds behind', () => {
    for (const behind of [1, CLOCK_SKEW]) {
      assert.equal(aliveAt(seenAfter(0), -behind), true, `${behind}`)
      assert.equal(
        isFresh({ authTime: start, amr: ['pwd', 'otp'] }, { hasSecondFactor: true }, rules, start - behind),
        true,
      )
    }
  })

  it('works beyond 2038 and 2106 (FT-CLOCK-1)', () => {
    for (const now of [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32]) {
      const times = { authTime: now - 1, lastSeenAt: now - 1, expiresAt: now - 1 + 12 * hour }
      assert.equal(isAlive(times, rules, now), true)
      assert.equal(isAlive(times, rules, now + hour), false)
      assert.equal(isFresh({ authTime: now - 1, amr: ['pwd'] }, { hasSecondFactor: false }, rules, now), true)
    }
  })
})

describe('activity', () => {
  const stale = (idleTimeout: number, after: number) =>
    isSeenStale(seenAfter(0), { ...rules, idleTimeout }, start + after)

  it('is written down once a minute, and ten times within a short idle limit', () => {
    assert.deepEqual(
      [0, 59, 60, 61].map((after) => stale(hour, after)),
      [false, false, true, true],
    )
    assert.deepEqual(
      [0, 29, 30].map((after) => stale(300, after)),
      [false, false, true],
    )
    assert.deepEqual(
      [0, 5, 6].map((after) => stale(60, after)),
      [false, false, true],
    )
  })

  it('is written before the session would end as idle, however short the limit', () => {
    for (let idleTimeout = 1; idleTimeout <= 2000; idleTimeout++) {
      assert.equal(stale(idleTimeout, idleTimeout - 1), true, `${idleTimeout}`)
    }
  })

  it('is written after a clock was set back, so that the session does not wait for the old time', () => {
    assert.equal(stale(hour, -59), false)
    assert.equal(stale(hour, -60), true)
  })
})

describe('a session is fresh enough for a dangerous action (SEC-AUTH-10)', () => {
  const two = { hasSecondFactor: true }
  const one = { hasSecondFactor: false }
  const table: readonly [readonly AuthenticationMethod[], typeof two | typeof one, boolean][] = [
    [['pwd'], one, true],
    [['pwd', 'otp'], one, true],
    [['pwd'], two, false],
    [['otp'], two, false],
    [['recovery'], two, false],
    [['otp', 'recovery'], two, false],
    [[], two, false],
    [['pwd', 'otp'], two, true],
    [['otp', 'pwd'], two, true],
    [['pwd', 'recovery'], two, true],
    [['pwd', 'otp', 'recovery'], two, true],
  ]
  for (const [amr, user, enough] of table) {
    const account = user.hasSecondFactor ? 'two factors' : 'a password alone'
    it(`${enough ? '' : 'never '}by ${amr.join(' and ') || 'nothing'}, of an account with ${account}`, () => {
      const fresh = (age: number) => isFresh({ authTime: start, amr }, user, rules, start + age)
      assert.deepEqual(
        [0, 1, 298, 299, 300, 301, 86_400].map(fresh),
        [true, true, true, true, false, false, false].map((recent) => recent && enough),
      )
    })
  }

  it('never before the proof was given, as a clock set back would have it (FT-CLOCK-1)', () => {
    for (const age of [-CLOCK_SKEW - 1, -299, -300, -86_400]) {
      assert.equal(
        isFresh({ authTime: start, amr: ['pwd', 'otp'] }, two, rules, start + age),
        false,
        `${age}`,
      )
    }
  })
})
