import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { mistakes } from './mistakes.ts'
import { diagnose } from './site.ts'

describe('the doctor finds what operators get wrong', () => {
  let found = 0
  for (const [what, id, written] of mistakes) {
    it(`${what}: ${id}`, () => {
      const findings = diagnose(written)
      const ids = findings.map((finding) => finding.id)
      assert.ok(ids.includes(id), `found: ${ids.join(', ')}`)
      found++
    })
  }

  it('every one of at least a hundred (FT-OPER-1)', () => {
    assert.equal(new Set(mistakes.map(([what]) => what)).size, mistakes.length)
    assert.ok(mistakes.length >= 100)
    assert.equal(found, mistakes.length)
  })
})
