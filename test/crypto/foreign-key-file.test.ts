import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { compose } from '../../src/compose.ts'
import { loadConfig } from '../../src/config/load.ts'
import { addKey, readKeyFile } from '../../src/crypto/key-file.ts'

it('a database opens with its own key file only, also before anything is sealed', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ww-keys-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const config = loadConfig({ cwd: folder, env: {} })
  await (await compose(config)).close()

  const own = `${config.keyFile}.own`
  renameSync(config.keyFile, own)
  // Nothing is sealed yet, so a new key file is made, and does not belong.
  await assert.rejects(compose(config), { name: 'KeyFileError', message: /does not belong to this database/ })

  renameSync(own, config.keyFile)
  const file = readKeyFile(config.keyFile)
  assert.ok(file !== undefined)
  addKey(file)
  await (await compose(config)).close()
})
