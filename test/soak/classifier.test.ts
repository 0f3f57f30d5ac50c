import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { distanceOf, medianOf } from '../../soak/support/classifier.ts'
import { seededRandom } from '../../soak/support/random.ts'
import type { Samples } from '../../soak/support/trial.ts'
import { codeTiming } from '../../soak/trials/code-timing.ts'
import { signInTiming } from '../../soak/trials/sign-in-timing.ts'

/** Times as a busy machine gives them: most close together, some much later. */
function timesOf(what: string, count: number, { from, spread }: { from: number; spread: number }): number[] {
  const random = seededRandom('times', what)
  return Array.from({ length: count }, () => {
    const late = random.below(20) === 0 ? spread * random.below(20) : 0
    return from + (spread * random.below(1000)) / 1000 + late
  })
}

describe('telling two sets of times apart', () => {
  it('finds a half where nothing can be told, ties or not', () => {
    assert.deepEqual(distanceOf([1, 1, 1], [1, 1, 1]).auc, 0.5)
    assert.equal(distanceOf([1, 4], [2, 3]).auc, 0.5)
    const [first, second] = ['a', 'b'].map((what) => timesOf(what, 2000, { from: 3, spread: 2 }))
    const { auc, error } = distanceOf(first ?? [], second ?? [])
    assert.ok(Math.abs(auc - 0.5) < 4 * error, `${auc}`)
  })

  it('finds one where all of the first are later, and nought where all are sooner', () => {
    assert.equal(distanceOf([3, 4], [1, 2]).auc, 1)
    assert.equal(distanceOf([1, 2], [3, 4]).auc, 0)
    assert.equal(distanceOf([3, 4, 9], [1, 2, 2]).difference, 2)
  })

  it('takes the middle of a median', () => {
    assert.equal(medianOf([5, 1, 3]), 3)
    assert.equal(medianOf([4, 1, 2, 3]), 2.5)
  })
})

describe('the judgement of times', () => {
  const way = 'cheap hash, login'
  const timed = (leak: number, count: number): Samples => ({
    [`${way} | nobody`]: timesOf('nobody', count, { from: 3, spread: 3 }),
    [`${way} | bound`]: timesOf('bound', count, { from: 3 + leak, spread: 3 }),
  })

  it('finds two milliseconds that only users take, at the size of every change (FT-TIME-1)', () => {
    const { violations } = signInTiming.judge?.(timed(2, 120)) ?? assert.fail()
    assert.equal(violations.length, 1)
    assert.match(violations[0] ?? '', /bound is \S+ ms from nobody/)
  })

  it('finds nothing where there is nothing, also on a machine that is busy (FT-TIME-1)', () => {
    for (const count of [120, 1000]) {
      assert.deepEqual(signInTiming.judge?.(timed(0, count)).violations, [])
    }
  })

  it('finds a comparison that stops at the first difference (FT-TIME-2)', () => {
    const samples = {
      'text | none': timesOf('none', 2000, { from: 400, spread: 40 }),
      'text | first': timesOf('first', 2000, { from: 408, spread: 40 }),
      'text | last': timesOf('last', 2000, { from: 400, spread: 40 }),
    }
    const { violations } = codeTiming.judge?.(samples) ?? assert.fail()
    assert.equal(violations.length, 1)
    assert.match(violations[0] ?? '', /first right/)
  })
})
