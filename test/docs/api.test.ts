import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'

const root = join(import.meta.dirname, '../..')
const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8')

it('docs/api.md lists every code that the server answers, and none that it does not', () => {
  const api = read('docs', 'api.md')
  const table = api.slice(api.indexOf('## Every code'), api.indexOf('## Monitoring'))
  const listed = [...table.matchAll(/^\| \d{3} \| `([a-z_]+)` \|/gm)].map(([, code]) => code)
  assert.deepEqual(listed.toSorted(), [...answered()].toSorted())
})

/** The codes in the source of the edge. */
function answered(): Set<string> {
  const files = readdirSync(join(root, 'src/http'), { recursive: true, encoding: 'utf8' })
  const codes = new Set<string>()
  for (const file of files.filter((name) => name.endsWith('.ts'))) {
    const text = read('src/http', file)
    for (const [, code = ''] of text.matchAll(/failure\(\s*\d{3},\s*'([a-z_]+)'/g)) codes.add(code)
    for (const [, code = ''] of text.matchAll(/\['\d{3} [\w ]+', '([a-z_]+)'/g)) codes.add(code)
    for (const [, code = ''] of text.matchAll(/code: '([a-z_]+)', retry_after/g)) codes.add(code)
  }
  const policy = read('src/domain/password/policy.ts')
  for (const [, kind = ''] of policy.matchAll(/readonly kind: '([a-z-]+)'/g)) {
    codes.add(`password_${kind.replace('-', '_')}`)
  }
  return codes
}
