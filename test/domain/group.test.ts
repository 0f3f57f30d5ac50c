import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { groupNameProblem } from '../../src/domain/group.ts'

describe('the name of a group', () => {
  it('is 1 to 64 small letters, digits and . _ -, and begins with a letter or digit', () => {
    for (const name of ['a', '0', 'staff', 'ops-2.eu_west', 'a'.repeat(64)]) {
      assert.equal(groupNameProblem(name), undefined, name)
    }
    assert.equal(groupNameProblem(''), 'empty')
    assert.equal(groupNameProblem('a'.repeat(65)), 'too-long')
    for (const name of ['-a', '.a', '_a', 'A', 'staff\n', ' staff', 'staff ', 'é', 'ſ', 'K', '\0']) {
      assert.equal(groupNameProblem(name), 'forbidden-character', JSON.stringify(name))
    }
  })

  it('cannot end the list of groups in a header, nor add to it', () => {
    for (const sign of [',', ';', ' ', '"', '\\', '/', ':', '%', '\r', '\n', '\t']) {
      for (const name of [`a${sign}b`, `${sign}a`, `a${sign}`]) {
        assert.equal(groupNameProblem(name), 'forbidden-character', JSON.stringify(name))
      }
    }
  })
})
