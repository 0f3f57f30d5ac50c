import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { describeSettings } from '../../src/config/describe.ts'

it('states the numbers that are shipped (SEC-DOC-1, SEC-DOC-3, SEC-RATE-10)', () => {
  const text = readFileSync(new URL('../../docs/security-model.md', import.meta.url), 'utf8')
  const stated = [...text.matchAll(/^\| `([a-z_.]+)` \| ([^|]+?) \|/gm)].map(([, name, value]) => ({
    name,
    value,
  }))
  assert.ok(stated.length >= 20)
  for (const { name, value } of stated) {
    const setting = describeSettings().find((each) => each.name === name)
    assert.equal(setting?.default, value, `${name}`)
  }
})
