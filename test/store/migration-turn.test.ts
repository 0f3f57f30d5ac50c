import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { migrate } from '../../src/store/migrate.ts'
import { inMigrationTurn } from '../../src/store/migration-turn.ts'
import { migrations } from '../../src/store/migrations/index.ts'
import { openDatabase } from '../../src/store/open.ts'
import { startPostgres } from '../support/postgres.ts'

const cluster = startPostgres()
after(async () => (await cluster).stop())

it('an index that a stopped migration left half-built on PostgreSQL is built anew (SEC-DB-3)', async () => {
  const db = await openDatabase({ kind: 'postgres', url: await (await cluster).createDatabase('half') })
  try {
    const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } })
    await migrator.migrateTo('0009-audit-months')
    await sql`create index user_disabled on "user" (canonical_username) where disabled_at is not null`.execute(
      db,
    )
    // As PostgreSQL leaves it when it is stopped while it builds.
    await sql`update pg_index set indisvalid = false where indexrelid = 'user_disabled'::regclass`.execute(db)
    await migrate(db)
    const built = sql`select indisvalid from pg_index where indexrelid in ('user_disabled'::regclass, 'user_superuser'::regclass)`
    assert.deepEqual((await built.execute(db)).rows, [{ indisvalid: true }, { indisvalid: true }])
    // A connection goes back as it was.
    const changed = sql`select name from pg_settings where name in ('lock_timeout', 'statement_timeout') and setting <> reset_val`
    assert.deepEqual((await changed.execute(db)).rows, [])
  } finally {
    await db.destroy()
  }
})

it('a migration that waits for a sign-in which waits for it is tried again (SEC-CON-3)', async () => {
  const db = await openDatabase({ kind: 'postgres', url: await (await cluster).createDatabase('crossed') })
  try {
    await sql`create table crossed (id int primary key)`.execute(db)
    await sql`insert into crossed values (1)`.execute(db)
    let tries = 0
    await inMigrationTurn(db, async (own) => {
      tries++
      if (tries === 1) await sql`do ${sql.raw(`$$ begin raise sqlstate '40P01'; end $$`)}`.execute(own)
      await sql`alter table crossed add column more int`.execute(own)
    })
    assert.equal(tries, 2)
    assert.equal((await sql`select more from crossed`.execute(db)).rows.length, 1)
  } finally {
    await db.destroy()
  }
})
