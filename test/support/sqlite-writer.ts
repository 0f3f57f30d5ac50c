import { type Kysely, sql } from 'kysely'
import { openDatabase } from '../../src/store/open.ts'

/** A process of its own with a table in a file of SQLite: stores each text that it is sent and says whether it is stored. */
const [, , path = ''] = process.argv
const db = (await openDatabase({ kind: 'sqlite', path })) as unknown as Kysely<{
  note: { text: string }
}>
await sql`create table note (id integer primary key, text text not null unique)`.execute(db)
process.on('message', (text: string) => {
  db.insertInto('note')
    .values({ text })
    .execute()
    .then(
      () => process.send?.(true),
      () => process.send?.(false),
    )
})
process.once('disconnect', () => void db.destroy())
process.send?.('ready')
