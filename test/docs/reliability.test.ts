import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { reliabilityPage } from '../../scripts/lib/reliability-page.ts'

it('tells of every trial what its latest run showed; otherwise run npm run docs', () => {
  const page = readFileSync(new URL('../../docs/reliability.md', import.meta.url), 'utf8')
  assert.equal(page, reliabilityPage(page))
})
