import assert from 'node:assert/strict'
import { it } from 'node:test'
import { seededRandom } from '../../soak/support/random.ts'
import { searchFor } from '../../soak/support/secret-search.ts'

it('finds in a text what a slow search finds, at its ends and where one begins in another', () => {
  const random = seededRandom('secrets')
  const drawn = (longest: number) =>
    Array.from({ length: 3 + random.below(longest) }, () => random.pick(['a', 'b', '\xff'])).join('')
  let hits = 0
  for (let turn = 0; turn < 300; turn++) {
    const wanted = [...new Set(Array.from({ length: 20 }, () => drawn(7)))]
    const text = drawn(60)
    const right = wanted.filter((each) => text.includes(each))
    assert.deepEqual(searchFor(wanted)(text).toSorted(), right.toSorted())
    hits += right.length
  }
  assert.ok(hits > 500)
  assert.throws(() => searchFor(['ab']), RangeError)
})
