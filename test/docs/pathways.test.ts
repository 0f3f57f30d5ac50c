import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { type Branch, commands } from '../../src/cli/commands.ts'
import { routes } from '../../src/http/api/routes.ts'

const text = readFileSync(new URL('../../docs/pathways.md', import.meta.url), 'utf8')

/** The cells of every row of the document's tables. */
const rows = text
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()))

describe('the list of every way in (SEC-DOC-2)', () => {
  it('names every route that is served, and none that is not', () => {
    const listed = rows
      .map(([, route = '']) => /^`([A-Z]+ \/.*)`$/.exec(route)?.[1])
      .filter((route) => route !== undefined)
    const served = routes.map(({ method, path }) => `${method} ${path}`)
    assert.deepEqual(listed.toSorted(), served.toSorted())
  })

  it('says of each route who may call it, as the route itself does', () => {
    for (const { method, path, access } of routes) {
      const row = rows.find(([, route]) => route === `\`${method} ${path}\``)
      assert.equal(row?.[2], access, `${method} ${path}`)
    }
  })

  it('names every command that changes who may sign in and how', () => {
    const listed = rows
      .map(([, command = '']) => /^`watchword (.*)`$/.exec(command)?.[1])
      .filter((name) => name !== undefined)
    // What these do is no way in: they read, print, serve, or change groups only.
    const others =
      /^(?:serve|migrate|config|backup|systemd|audit .*|apache .*|policy .*|group .*|user (?:list|show|app-password list|code-window list)|keys check)$/
    const changing = namesOf(commands).filter((name) => !others.test(name))
    assert.deepEqual(listed.toSorted(), changing.toSorted())
  })
})

/** The full names of all commands that do something. */
function namesOf(branches: readonly Branch[]): string[] {
  return branches.flatMap(({ name, branches: below }) =>
    below === undefined ? [name] : namesOf(below).map((rest) => `${name} ${rest}`),
  )
}
