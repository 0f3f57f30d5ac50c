import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'

const root = join(import.meta.dirname, '../..')
const id = /\b(?:SEC-[A-Z]+-\d+|FT-[A-Z]+-\d+|L-\d\d)\b/g
const folders = ['bench', 'bin', 'docs', 'scripts', 'soak', 'src', 'test']

it('docs/requirements.md lists every id that is cited, once, and none that is not', () => {
  const listed = [...read('docs/requirements.md').matchAll(/^\| ([A-Z]+-[A-Z0-9-]+) \|/gm)].map(
    ([, each]) => each,
  )
  const cited = new Set(texts().flatMap((text) => text.match(id) ?? []))
  assert.deepEqual(listed.toSorted(), [...cited].toSorted())
})

/** Every text of the repository that may cite an id, but the list itself. */
function texts(): string[] {
  return folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
        join(folder, name),
      ),
    )
    .filter((path) => /\.(?:js|ts|md)$/.test(path) && path !== join('docs', 'requirements.md'))
    .map(read)
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}
