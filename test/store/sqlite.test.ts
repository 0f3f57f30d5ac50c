import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { openDatabase } from '../../src/store/open.ts'
import { storeContract } from '../contract/store.ts'

const folder = mkdtempSync(join(tmpdir(), 'watchword-store-'))
after(() => rmSync(folder, { recursive: true }))

storeContract('SQLite', (name) => openDatabase({ kind: 'sqlite', path: join(folder, `${name}.sqlite`) }))
