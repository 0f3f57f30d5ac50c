import { findTimeStep } from '../../src/domain/otp/totp.ts'
import { isAlive, isFresh, isSeenStale, type SessionTimes } from '../../src/domain/session.ts'
import { type Attempts, charge, refund, secondsToWait, type ThrottleRule } from '../../src/domain/throttle.ts'
import { modelOf } from '../../test/domain/throttle-model.ts'
import type { Random } from '../support/random.ts'
import { SlowSession, SlowWindow, slowCode } from '../support/slow-models.ts'
import type { Round, Trial } from '../support/trial.ts'

const SEQUENCES = 1000
const START = 1_790_000_000

/** The rules that depend on time, over sequences of anything that may happen. */
export const clockModel: Trial = {
  id: 'FT-CLOCK-2',
  name: 'clock-model',
  holds: `Limits, sessions and the window of codes do what slow models of their rules do, whatever the clock does (I2, I4).`,
  rounds: 'thousands of sequences',
  sizes: { ci: 20, soak: 1000, release: 4000 },
  needs: ['attempts throttled', 'codes accepted', 'repeats told', 'sessions over', 'moves back'],
  patience: 120,
  begin: async () => ({
    async round(_, random) {
      const counts: Record<string, number> = {}
      const count = (kind: string) => {
        counts[kind] = (counts[kind] ?? 0) + 1
      }
      const violations: string[] = []
      for (let sequence = 0; sequence < SEQUENCES && violations.length < 3; sequence++) {
        const play = [playLimit, playSession, playCodes][sequence % 3] ?? playLimit
        const found = play(random, count)
        count('sequences')
        if (found !== undefined) violations.push(`Sequence ${sequence}: ${found}`)
      }
      return { counts, violations } satisfies Round
    },
    end: async () => undefined,
  }),
}

type Count = (kind: string) => void
/** Plays one sequence; tells of the first step that the model says otherwise of. */
type Play = (random: Random, count: Count) => string | undefined

/** Mostly forwards by little, at times far, and back. */
function moved(random: Random, now: number, count: Count): number {
  const kind = random.below(12)
  if (kind < 4) return now + random.below(3)
  if (kind < 7) return now + random.below(61)
  if (kind < 9) return now + random.below(7200)
  if (kind === 9) return now + random.below(10 * 365 * 86_400)
  count('moves back')
  return now - (kind === 10 ? random.below(90) : random.below(10 * 365 * 86_400))
}

const playLimit: Play = (random, count) => {
  const rule: ThrottleRule =
    random.below(2) === 0
      ? {
          kind: 'consecutive',
          free: random.below(7),
          firstWait: 1 + random.below(60),
          longestWait: 60 + random.below(900),
          forgetAfter: random.below(2) === 0 ? 'never' : 1 + random.below(3000),
        }
      : { kind: 'window', limit: 1 + random.below(8), window: 1 + random.below(900) }
  const model = modelOf(rule)
  let attempts: Attempts | undefined
  let now = START
  for (let step = 0; step < 40; step++) {
    const wait = model.wait(now)
    // The end of a wait and the second before it are where a rule is wrong if it is.
    now = random.below(3) === 0 ? now + Math.max(0, wait - random.below(2)) : moved(random, now, count)
    const expected = model.wait(now)
    const told = secondsToWait(attempts, rule, now)
    if (told !== expected) return `a wait of ${told} seconds in place of ${expected}, ${JSON.stringify(rule)}`
    const action = random.below(5)
    if (action < 3) {
      const outcome = charge(attempts, rule, now)
      if ((outcome.kind === 'throttled') !== expected > 0)
        return `${outcome.kind} after a wait of ${expected}`
      if (outcome.kind === 'throttled') count('attempts throttled')
      else {
        attempts = outcome.attempts
        model.attempt(now)
        count('attempts charged')
      }
    } else if (action === 3 && attempts !== undefined) {
      attempts = refund(attempts, rule)
      model.giveBack()
    }
    if ((attempts?.count ?? 0) !== model.counted()) {
      return `${attempts?.count} attempts in place of ${model.counted()}, ${JSON.stringify(rule)}`
    }
  }
  return undefined
}

const playSession: Play = (random, count) => {
  const rules = {
    idleTimeout: 60 + random.below(7200),
    absoluteLifetime: 300 + random.below(86_101),
    freshFor: 30 + random.below(871),
  }
  let now = START
  const model = new SlowSession(now, rules)
  let times: SessionTimes = { authTime: now, lastSeenAt: now, expiresAt: now + rules.absoluteLifetime }
  for (let step = 0; step < 40; step++) {
    now = random.below(4) === 0 ? edgeOf(random, times, rules) : moved(random, now, count)
    const holds = model.holds(now)
    if (isAlive(times, rules, now) !== holds) {
      return `a session ${holds ? 'is over' : 'holds'} ${now - START} seconds after its beginning, ${JSON.stringify(rules)}`
    }
    const fresh = isFresh({ ...times, amr: ['pwd', 'otp'] }, { hasSecondFactor: true }, rules, now)
    if (fresh !== model.isFresh(now)) return `freshness of ${now - START} seconds, ${JSON.stringify(rules)}`
    // One that is over stays so: the server forgets it with the first request that finds it.
    if (!holds) {
      count('sessions over')
      return undefined
    }
    const stale = isSeenStale(times, rules, now)
    if ((model.use(now) === 'written') !== stale) return `use at ${now - START}, ${JSON.stringify(rules)}`
    if (stale) times = { ...times, lastSeenAt: now }
    count('uses of a session')
  }
  return undefined
}

/** A moment at which something of a session begins or ends, or the second beside it. */
function edgeOf(
  random: Random,
  { authTime, lastSeenAt, expiresAt }: SessionTimes,
  rules: { readonly idleTimeout: number; readonly freshFor: number },
): number {
  const edges = [
    expiresAt,
    lastSeenAt + rules.idleTimeout,
    authTime + rules.freshFor,
    authTime - 10,
    lastSeenAt,
  ]
  return random.pick(edges) + random.below(3) - 1
}

const playCodes: Play = (random, count) => {
  const key = random.bytes(20)
  const window = random.below(3)
  const model = new SlowWindow(key, window)
  const taken = new Set<number>()
  let [drift, lastUsed] = [0, -1]
  let now = START + random.below(60)
  for (let step = 0; step < 25; step++) {
    // Also before the first step of all, and beyond 2038 and 2106.
    now =
      random.below(20) === 0
        ? random.pick([random.below(100), 2 ** 31, 2 ** 32, 2 ** 36])
        : moved(random, now, count)
    const current = Math.floor(now / 30)
    const aimed = random.below(3) === 0 && lastUsed >= 0 ? lastUsed : current + random.below(9) - 4
    const code = slowCode(key, Math.max(0, aimed))
    const timing = { now, window, drift, lastUsed }
    const match = findTimeStep(code, key, { algorithm: 'sha1', digits: 6, period: 30, t0: 0 }, timing)
    const told = match.kind === 'match' ? match.step : match.kind
    const expected = model.send(code, now)
    if (told !== expected) return `a code is ${told} in place of ${expected}, ${JSON.stringify(timing)}`
    if (match.kind === 'match') {
      if (taken.has(match.step)) return `step ${match.step} was accepted twice`
      if (Math.abs(match.step - current) > 2) return `step ${match.step} was accepted at step ${current}`
      taken.add(match.step)
      ;[drift, lastUsed] = [match.drift, match.step]
      count('codes accepted')
    } else count(match.kind === 'repeat' ? 'repeats told' : 'codes refused')
  }
  return undefined
}
