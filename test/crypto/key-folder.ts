import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** A folder of its own for one test, gone when the test ends. */
export function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'watchword-crypto-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Where a test may make a key file; there is none yet. */
export function newKeyPath(t: TestContext): string {
  return join(newFolder(t), 'keys.json')
}
