import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { findingIds } from '../../src/apache/doctor/finding.ts'
import { mistakes } from '../apache/doctor/mistakes.ts'
import { diagnose } from '../apache/doctor/site.ts'

const guide = readFileSync(new URL('../../docs/apache.md', import.meta.url), 'utf8')

it('docs/apache.md lists every finding of the doctor with how bad it is (FT-OPER-1)', () => {
  const listed = [...guide.matchAll(/^\| `([a-z-]+)` \| (hole|fault) \|/gm)].map(([, id, severity]) => [
    id,
    severity,
  ])
  assert.deepEqual(listed, Object.entries(findingIds))
})

it('what docs/apache.md says to write is right (FT-OPER-1)', () => {
  const blocks = [...guide.matchAll(/```apache\n([\s\S]*?)```/g)].map(([, text = '']) => text)
  assert.ok(blocks.length >= 9)
  const settings = { returnOrigins: ['https://wiki.example.net', 'https://shop.example.org'] }
  for (const text of blocks) {
    const written = text.includes('<VirtualHost') ? { more: text } : { wiki: text }
    assert.deepEqual(diagnose({ ...written, settings }), [], text)
  }
})

it('every finding that reading alone can make is made by a mistake of the list (FT-OPER-1)', () => {
  // The first four stand beside what Apache refuses; the others are made by asking.
  const others = ['configtest', 'not-read', 'module-missing', 'secret-missing']
  const asked = ['authorizer-open', 'authorizer-silent', 'open-place', 'open-spelling', 'trace-answered']
  const made = new Set<string>(mistakes.map(([, id]) => id))
  assert.deepEqual(
    Object.keys(findingIds).filter((id) => !made.has(id)),
    Object.keys(findingIds).filter((id) => [...others, ...asked].includes(id)),
  )
})
