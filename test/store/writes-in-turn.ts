import { once } from 'node:events'
import { writeSync } from 'node:fs'
import type { Db } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { openDatabase } from '../../src/store/open.ts'
import { syncLater } from '../../src/store/sync-later.ts'

// A process of its own, whose calls another one watches: stores something without a wait for the disk, and more when it is told to.
const db = await openDatabase({ kind: 'sqlite', path: process.argv[2] ?? '' })
await migrate(db)

const put = (key: string) => (tx: Db) =>
  tx.insertInto('attempts').values({ key, count: 1, since: 1, blocked_until: 0 }).execute()

async function tell(what: string, work: Promise<unknown>): Promise<void> {
  const became = await work.then(
    () => 'stored',
    () => 'failed',
  )
  writeSync(1, `${what}: ${became}\n`)
}

await tell('without waiting', syncLater(db, put('first')))
await once(process.stdin, 'data')
await tell('waiting', db.transaction().execute(put('second')))
await tell('waiting again', db.transaction().execute(put('third')))
