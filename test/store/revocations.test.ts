import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'

const store = join(import.meta.dirname, '..', '..', 'src', 'store')

/** What changes these tables and takes nothing from anybody. */
const harmless: Readonly<Record<string, string>> = {
  'sessions.ts hold': 'writes a row over itself',
  'sessions.ts touch': 'writes down activity',
  'sessions.ts touchAdmin': 'writes down activity',
  'sessions.ts purge': 'removes what ended before, and no lease lasts longer',
  'users.ts hold': 'writes a row over itself',
  'users.ts updateNothing': 'writes a row over itself',
  'users.ts updateLastSignIn': 'writes down activity',
  'groups.ts hold': 'writes a row over itself',
}

describe('whatever takes standing from somebody', () => {
  it('notes whose it was, beside the statement', () => {
    const found: string[] = []
    for (const file of globSync('*.ts', { cwd: store })) {
      const text = readFileSync(join(store, file), 'utf8')
      for (const part of text.split(/^(?=(?:export )?(?:async )?(?:function|const) )/m)) {
        const [, name] = /^(?:export )?(?:async )?(?:function|const) (\w+)/.exec(part) ?? []
        if (
          !/(?:deleteFrom|updateTable)\(\s*'(?:user|session|site_session|group_member|user_group)'/.test(part)
        )
          continue
        if (!part.includes('noteRevoked(')) found.push(`${file} ${name}`)
      }
    }
    assert.deepEqual(found.toSorted(), Object.keys(harmless).toSorted())
  })

  it('is done in these files alone', () => {
    const changes = /(?:deleteFrom|updateTable)\(|\.transaction\(\)[\s\S]*sql`(?:update|delete)/
    const elsewhere = globSync('**/*.ts', { cwd: join(store, '..') })
      .filter((file) => !file.startsWith('store/'))
      .filter((file) => changes.test(readFileSync(join(store, '..', file), 'utf8')))
    assert.deepEqual(elsewhere, [])
  })
})
