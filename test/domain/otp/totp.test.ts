import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { OtpAlgorithm } from '../../../src/domain/otp/hotp.ts'
import {
  findTimeStep,
  maximumDrift,
  type TotpParameters,
  type TotpTiming,
  timeStepAt,
  totpCode,
} from '../../../src/domain/otp/totp.ts'

const key = Buffer.from('12345678901234567890')
const app: TotpParameters = { algorithm: 'sha1', digits: 6, period: 30, t0: 0 }
const codeAt = (step: number) => totpCode(key, step, app)

const present = 1_000_000
const timing = (given: Partial<TotpTiming> = {}): TotpTiming => ({
  now: present * 30 + 10,
  window: 1,
  drift: 0,
  lastUsed: -1,
  ...given,
})
const find = (step: number, given?: Partial<TotpTiming>) =>
  findTimeStep(codeAt(step), key, app, timing(given))
const acceptedOffsets = (given?: Partial<TotpTiming>) =>
  [-4, -3, -2, -1, 0, 1, 2, 3, 4].filter((offset) => find(present + offset, given).kind === 'match')

describe('a time code', () => {
  it('has the values of RFC 6238 Appendix B, of all three hashes and up to the year 2603 (SEC-OTP-17)', () => {
    // Each hash has a key of its own length, which the appendix only says in its program.
    const digits = '1234567890'
    const keys: Record<OtpAlgorithm, Buffer> = {
      sha1: Buffer.from(digits.repeat(2)),
      sha256: Buffer.from(digits.repeat(4).slice(0, 32)),
      sha512: Buffer.from(digits.repeat(7).slice(0, 64)),
    }
    const vectors = [
      { at: 59, sha1: '94287082', sha256: '46119246', sha512: '90693936' },
      { at: 1_111_111_109, sha1: '07081804', sha256: '68084774', sha512: '25091201' },
      { at: 1_111_111_111, sha1: '14050471', sha256: '67062674', sha512: '99943326' },
      { at: 1_234_567_890, sha1: '89005924', sha256: '91819424', sha512: '93441116' },
      { at: 2_000_000_000, sha1: '69279037', sha256: '90698825', sha512: '38618901' },
      { at: 20_000_000_000, sha1: '65353130', sha256: '77737706', sha512: '47863826' },
    ]
    for (const vector of vectors) {
      for (const algorithm of ['sha1', 'sha256', 'sha512'] as const) {
        const parameters: TotpParameters = { ...app, algorithm, digits: 8 }
        const step = timeStepAt(vector.at, parameters)
        assert.equal(
          totpCode(keys[algorithm], step, parameters),
          vector[algorithm],
          `${algorithm} ${vector.at}`,
        )
      }
    }
  })

  it('is that of its own step above 2^32 (SEC-OTP-10)', () => {
    const step = 2 ** 32 + 7
    const now = step * 30
    assert.equal(timeStepAt(now, app), step)
    assert.notEqual(codeAt(step), codeAt(7))
    assert.deepEqual(find(step, { now }), { kind: 'match', step, drift: 0 })
    assert.deepEqual(find(7, { now }), { kind: 'none' })
  })

  it('keeps its leading zeros (SEC-OTP-10)', () => {
    assert.equal(codeAt(349_495), '000000')
    assert.equal(codeAt(366), '000866')
    assert.equal(find(366, { now: 366 * 30 }).kind, 'match')
    assert.equal(findTimeStep('866', key, app, timing({ now: 366 * 30 })).kind, 'none')
  })

  it('changes with the period, from t0 on', () => {
    assert.equal(timeStepAt(0, app), 0)
    assert.equal(timeStepAt(29, app), 0)
    assert.equal(timeStepAt(30, app), 1)
    assert.equal(timeStepAt(-1, app), -1)
    assert.equal(timeStepAt(1059, { period: 60, t0: 1000 }), 0)
    assert.equal(timeStepAt(1060, { period: 60, t0: 1000 }), 1)
    assert.equal(timeStepAt(999, { period: 60, t0: 1000 }), -1)
  })
})

describe('the window of time codes (SEC-OTP-3)', () => {
  const table = [
    { window: 0, accepted: [0] },
    { window: 1, accepted: [-1, 0, 1] },
    { window: 2, accepted: [-2, -1, 0, 1, 2] },
  ]

  for (const { window, accepted } of table) {
    it(`of ${window} accepts exactly the steps ${accepted.join(', ')} of -3 to +3`, () => {
      for (const offset of [-3, -2, -1, 0, 1, 2, 3]) {
        const match = find(present + offset, { window })
        assert.equal(match.kind, accepted.includes(offset) ? 'match' : 'none', `offset ${offset}`)
        if (match.kind === 'match') assert.equal(match.step, present + offset)
      }
    })

    it(`of ${window} opens and closes on the second`, () => {
      const opens = (present - window) * 30
      const closes = (present + window + 1) * 30
      const kindAt = (now: number) => find(present, { window, now }).kind
      assert.deepEqual([opens - 1, opens, opens + 1].map(kindAt), ['none', 'match', 'match'])
      assert.deepEqual([closes - 2, closes - 1, closes].map(kindAt), ['match', 'match', 'none'])
      for (let now = opens - 90; now < closes + 90; now++) {
        assert.equal(
          kindAt(now),
          now >= opens && now < closes ? 'match' : 'none',
          `at ${now - present * 30} s`,
        )
      }
    })
  }

  it('is refused when wider than 2 or not a whole number', () => {
    for (const window of [-1, 3, 10, 0.5, Number.NaN])
      assert.throws(() => find(present, { window }), RangeError)
  })

  it('has no steps before t0', () => {
    assert.deepEqual(find(0, { now: 0 }), { kind: 'match', step: 0, drift: 0 })
    assert.deepEqual(find(1, { now: 0 }), { kind: 'match', step: 1, drift: 1 })
    assert.deepEqual(find(0, { now: -30 }), { kind: 'match', step: 0, drift: 1 })
    assert.deepEqual(find(0, { now: -90 }), { kind: 'none' })
    assert.deepEqual(find(0, { now: 0, lastUsed: 0 }), { kind: 'repeat' })
    assert.deepEqual(find(0, { now: -61, lastUsed: -2 }), { kind: 'none' })
  })
})

describe('a time code used before', () => {
  it('is a repeat as long as its step is in the window, then nothing (SEC-OTP-2)', () => {
    assert.deepEqual(find(present, { lastUsed: present }), { kind: 'repeat' })
    assert.deepEqual(find(present - 1, { lastUsed: present - 1 }), { kind: 'repeat' })
    assert.deepEqual(find(present + 1, { lastUsed: present + 1 }), { kind: 'repeat' })
    assert.deepEqual(find(present - 2, { lastUsed: present - 2 }), { kind: 'none' })
  })

  it('burns all earlier ones, which are not repeats (SEC-OTP-2)', () => {
    assert.deepEqual(find(present - 1, { lastUsed: present }), { kind: 'none' })
    assert.deepEqual(find(present, { lastUsed: present + 1 }), { kind: 'none' })
    assert.deepEqual(find(present + 1, { lastUsed: present }), { kind: 'match', step: present + 1, drift: 1 })
  })

  it('stays refused when the clock was set back', () => {
    assert.deepEqual(find(present, { lastUsed: present + 5000 }), { kind: 'none' })
  })

  it('that two steps share counts for the later one, so it cannot come again', () => {
    // Steps 910737 and 910738 of this key have the same code.
    const now = 910_737 * 30
    assert.equal(codeAt(910_737), codeAt(910_738))
    assert.deepEqual(find(910_737, { now }), { kind: 'match', step: 910_738, drift: 1 })
    assert.deepEqual(find(910_737, { now, lastUsed: 910_738 }), { kind: 'repeat' })
    assert.deepEqual(find(910_737, { now, lastUsed: 910_737 }), { kind: 'match', step: 910_738, drift: 1 })
  })
})

describe('learnt drift (SEC-OTP-12)', () => {
  it('may move a window of 1 by one step, and the others not at all', () => {
    assert.deepEqual([0, 1, 2, 3, 10].map(maximumDrift), [0, 1, 0, 0, 0])
  })

  it('moves the window, and never to more than 2 steps from server time', () => {
    assert.deepEqual(acceptedOffsets({ window: 1, drift: 1 }), [0, 1, 2])
    assert.deepEqual(acceptedOffsets({ window: 1, drift: -1 }), [-2, -1, 0])
    assert.deepEqual(acceptedOffsets({ window: 1, drift: 9 }), [0, 1, 2])
    assert.deepEqual(acceptedOffsets({ window: 1, drift: -9 }), [-2, -1, 0])
    assert.deepEqual(acceptedOffsets({ window: 0, drift: 1 }), [0])
    assert.deepEqual(acceptedOffsets({ window: 2, drift: -1 }), [-2, -1, 0, 1, 2])
  })

  it('is the offset from the server, not added to the drift before', () => {
    assert.deepEqual(find(present + 1, { drift: 1 }), { kind: 'match', step: present + 1, drift: 1 })
    assert.deepEqual(find(present + 2, { drift: 1 }), { kind: 'match', step: present + 2, drift: 1 })
    assert.deepEqual(find(present, { drift: 1 }), { kind: 'match', step: present, drift: 0 })
    assert.deepEqual(find(present - 2, { drift: -1 }), { kind: 'match', step: present - 2, drift: -1 })
    assert.deepEqual(find(present - 2, { window: 2 }), { kind: 'match', step: present - 2, drift: 0 })
    assert.deepEqual(find(present, { window: 0, drift: -1 }), { kind: 'match', step: present, drift: 0 })
  })

  it('cannot be walked: codes from +1, +2, +3, +4 in a row stop at +2', () => {
    let state = { lastUsed: -1, drift: 0 }
    const kinds = [1, 2, 3, 4].map((offset) => {
      const match = find(present + offset, state)
      if (match.kind === 'match') state = { lastUsed: match.step, drift: match.drift }
      return match.kind
    })
    assert.deepEqual(kinds, ['match', 'match', 'none', 'none'])
  })
})

describe('any history of a device (SEC-OTP-2, SEC-OTP-12, L-16)', () => {
  const visit = fc.record({
    // A narrow span, so that times meet again, go back and cross the steps used before.
    now: fc.integer({ min: -90, max: 450 }),
    window: fc.constantFrom(0, 1, 2),
    // The code sent, in steps from the server's; or the very code that was accepted last.
    sent: fc.oneof(fc.integer({ min: -4, max: 4 }), fc.constant('last' as const)),
    // Sometimes the stored drift is spoilt between visits, by an import or a bad update.
    drift: fc.option(fc.integer({ min: -1000, max: 1000 }), { freq: 3 }),
  })

  it('accepts no step twice, only later ones, and none further than 2 steps from the server', () => {
    let matches = 0
    let repeats = 0
    fc.assert(
      fc.property(fc.array(visit, { minLength: 1, maxLength: 60 }), (visits) => {
        let state = { lastUsed: -1, drift: 0 }
        const used = new Set<number>()
        for (const { now, window, sent, drift } of visits) {
          const serverStep = timeStepAt(now, app)
          const sentStep = Math.max(0, sent === 'last' ? state.lastUsed : serverStep + sent)
          const before = { ...state, drift: drift ?? state.drift }
          const match = find(sentStep, { now, window, ...before })

          if (match.kind === 'repeat') {
            assert.equal(sentStep, before.lastUsed)
            repeats++
          }
          if (match.kind !== 'match') continue
          matches++
          assert.equal(match.step, sentStep)
          assert.ok(!used.has(match.step), `step ${match.step} accepted twice`)
          assert.ok(match.step > before.lastUsed, 'lastUsed lowered')
          assert.ok(
            Math.abs(match.step - serverStep) <= 2,
            `${match.step - serverStep} steps from the server`,
          )
          assert.ok(Math.abs(match.drift) + window <= 2, `drift ${match.drift} with window ${window}`)
          assert.ok(!Object.is(match.drift, -0))
          used.add(match.step)
          state = { lastUsed: match.step, drift: match.drift }
        }
      }),
      { numRuns: 1000 },
    )
    // The history must be one where things happen, or the above says nothing.
    assert.ok(matches > 1000 && repeats > 100, `${matches} matches, ${repeats} repeats`)
  })

  it('accepts the present code of a device in time whenever it was not used, whatever its drift', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1000, max: 1000 }), fc.constantFrom(0, 1, 2), (drift, window) => {
        assert.deepEqual(find(present, { drift, window, lastUsed: present - 1 }).kind, 'match')
      }),
    )
  })
})
