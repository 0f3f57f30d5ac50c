import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { sql } from 'kysely'
import { type Composed, compose } from '../../src/compose.ts'
import { loadConfig } from '../../src/config/load.ts'
import { StorageFault } from '../../src/domain/faults.ts'
import * as attempts from '../../src/store/attempts.ts'
import type { Db } from '../../src/store/database.ts'
import { onlyOnce } from '../../src/store/repeated.ts'
import { type Postgres, startPostgres } from '../support/postgres.ts'

describe('transactions that lose against others (SEC-CON-3)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ww-repeated-'))
  let postgres: Postgres
  let composed: Composed
  before(async () => {
    postgres = await startPostgres()
    const url = await postgres.createDatabase('watchword')
    const env = { WATCHWORD_DATABASE: `${url}&options=${encodeURIComponent('-c deadlock_timeout=100ms')}` }
    composed = await compose(loadConfig({ cwd: folder, env }))
  })
  after(async () => {
    await composed?.close()
    await postgres?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Two that take the same two rows, each the other's first row second; how often each was begun, and what became of it. */
  async function crossing(wrap: <W extends object>(work: W) => W) {
    const { db } = composed.services
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const begun = [0, 0]
    const work = (index: number, keys: readonly [string, string]) => {
      const [own, other] = index === 0 ? [first, second] : [second, first]
      return wrap(async (tx: Db) => {
        begun[index] = (begun[index] ?? 0) + 1
        await attempts.hold(tx, [keys[0]])
        own.resolve()
        await other.promise
        await attempts.hold(tx, [keys[1]])
        await attempts.clear(tx, keys)
      })
    }
    const ends = await Promise.allSettled([
      db.transaction().execute(work(0, ['left', 'right'])),
      db.transaction().execute(work(1, ['right', 'left'])),
    ])
    return { begun: begun.reduce((sum, count) => sum + count), ends }
  }

  it('are begun anew after a deadlock, and both are stored', async () => {
    const { begun, ends } = await crossing((work) => work)
    assert.deepEqual(
      ends.map(({ status }) => status),
      ['fulfilled', 'fulfilled'],
    )
    assert.equal(begun, 3)
  })

  it('are not, where their work is more than statements', async () => {
    const { begun, ends } = await crossing(onlyOnce)
    assert.deepEqual(ends.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
    assert.equal(begun, 2)
  })

  it('are begun three times at most, and for no other fault twice', async () => {
    const { db } = composed.services
    for (const [code, times] of [
      ['40001', 3],
      ['40P01', 3],
      ['23505', 1],
      ['40003', 1],
      ['57014', 1],
    ] as const) {
      let begun = 0
      const losing = db.transaction().execute(async (tx) => {
        begun++
        await sql`do ${sql.raw(`$$ begin raise sqlstate '${code}'; end $$`)}`.execute(tx)
      })
      await assert.rejects(losing, StorageFault)
      assert.equal(begun, times, code)
    }
  })
})
