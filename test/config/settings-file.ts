import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Config } from '../../src/config/load.ts'
import { showSettings } from '../../src/config/show.ts'

/** A folder of the test's own that is removed after it. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'watchword-config-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

/** Writes `watchword.toml` into a folder of its own, and gives what `loadConfig` needs to find it. */
export function settingsFile(t: TestContext, toml: string | Uint8Array) {
  const cwd = temporaryFolder(t)
  const path = join(cwd, 'watchword.toml')
  writeFileSync(path, toml)
  return { cwd, path, env: {} }
}

/** A settings file that says all that a configuration says. */
export function printSettings(config: Config): string {
  const tables = new Map<string, string[]>([['', []]])
  showSettings(config).forEach(({ name, note, value }) => {
    const key = name.replace(/^.*\./, '')
    const table = name.slice(0, -key.length - 1)
    const text = note.kind === 'text' ? JSON.stringify(value) : value
    if (value !== '') tables.set(table, [...(tables.get(table) ?? []), `${key} = ${text}`])
  })
  return [...tables]
    .map(([table, lines]) => [...(table && [`[${table}]`]), ...lines, ''].join('\n'))
    .join('\n')
}
