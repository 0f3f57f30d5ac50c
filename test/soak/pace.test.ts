import assert from 'node:assert/strict'
import { it } from 'node:test'
import { isInTime } from '../support/pace.ts'

it('forgives a busy machine what it delays, and nothing that takes ten times as long as it may', async () => {
  assert.equal(await isInTime(1000, 1000), true)
  assert.equal(await isInTime(10_001, 1000), false)
})
