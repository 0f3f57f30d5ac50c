import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { mistakes } from '../apache/doctor/mistakes.ts'
import { right } from '../apache/doctor/right.ts'
import { diagnose, makeSite, type Site } from '../apache/doctor/site.ts'

/** With the folder taken out, which differs. */
const shown = (findings: ReturnType<typeof diagnose>) => findings.map(({ id, at }) => [id, at?.line])

// What the tests of the doctor judge in memory, as Apache reads it from files.
describe('what the doctor is tried on is configuration that Apache takes (FT-OPER-1)', () => {
  let site: Site
  before(() => {
    site = makeSite()
  })
  after(() => site.remove())

  for (const [what, , written] of mistakes) {
    it(`who ${what}`, async () => {
      const { refused, findings } = await site.examine(written)
      assert.equal(refused, undefined)
      assert.deepEqual(shown(findings), shown(diagnose(written)))
    })
  }
  for (const [what, written] of Object.entries(right)) {
    it(what, async () => assert.deepEqual(await site.examine(written), { refused: undefined, findings: [] }))
  }
})
