import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { settingsPage } from '../../scripts/lib/settings-page.ts'

it('documents every setting as the program has it (SEC-DOC-1, SEC-DOC-3); otherwise run npm run docs', () => {
  assert.equal(readFileSync(new URL('../../docs/settings.md', import.meta.url), 'utf8'), settingsPage())
})
