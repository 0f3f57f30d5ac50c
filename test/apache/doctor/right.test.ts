import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { right } from './right.ts'
import { diagnose } from './site.ts'

describe('the doctor is silent on what is right (FT-OPER-1)', () => {
  for (const [name, written] of Object.entries(right)) {
    it(name, () => assert.deepEqual(diagnose(written), []))
  }

  it('which are at least twenty configurations', () => assert.ok(Object.keys(right).length >= 20))
})
