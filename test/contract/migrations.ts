import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { newId } from '../../src/crypto/random.ts'
import { copiedTables } from '../../src/store/backup/tables.ts'
import type { Database, Db } from '../../src/store/database.ts'
import { migrate, migrationStatus, NewerDatabaseError } from '../../src/store/migrate.ts'
import { migrations } from '../../src/store/migrations/index.ts'
import * as sessions from '../../src/store/sessions.ts'
import { makeUser, plain } from './people.ts'
import type { OpenEmpty } from './store.ts'

const auditRow: Omit<Database['audit_event'], 'user_id'> = {
  ...{ id: 'event', at: 1, event: 'signed-in', outcome: 'success', actor_kind: 'anonymous', actor_id: null },
  ...{ address: '192.0.2.1', user_agent: 'agent', request_id: 'request', fields: '{}' },
}

/** migrate. */
export function migrationContract(open: OpenEmpty): void {
  const known = Object.keys(migrations)

  async function withDatabase(work: (db: Db) => Promise<void>): Promise<void> {
    const db = await open(`migrations_${newId()}`)
    try {
      await work(db)
    } finally {
      await db.destroy()
    }
  }

  describe('migrations', () => {
    it('bring an empty database up to date, and a second time change nothing', () =>
      withDatabase(async (db) => {
        assert.deepEqual(await migrationStatus(db), { applied: [], pending: known, unknown: [] })
        assert.deepEqual(await tables(db), [])
        assert.deepEqual(await migrate(db), { applied: known, pending: [], unknown: [] })
        const id = await makeUser(db)
        const before = await tables(db)
        assert.deepEqual(await migrate(db), { applied: known, pending: [], unknown: [] })
        assert.deepEqual(await tables(db), before)
        assert.deepEqual(plain(await db.selectFrom('user').select('id').execute()), [{ id }])
      }))

    it('keep what a database of the first version holds', () =>
      withDatabase(async (db) => {
        const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } })
        await migrator.migrateTo('0001-initial')
        const userId = await makeUser(db)
        await sql`insert into session (token_hash, id, user_id, amr, auth_time, created_at, last_seen_at, expires_at, address, user_agent)
          values ('hash', 'session', ${userId}, 'pwd otp', 1, 1, 1, 2, '', '')`.execute(db)
        const event = { ...auditRow, user_id: userId }
        await db.insertInto('audit_event').values(event).execute()
        assert.deepEqual((await migrate(db)).applied, known)
        assert.equal(await sessions.findAdminSeen(db, 'session'), 0)
        assert.equal((await sessions.listOf(db, userId)).length, 1)
        assert.deepEqual(plain(await db.selectFrom('audit_event').selectAll().execute()), [event])
      }))

    it('reach a database that has a later one already', () =>
      withDatabase(async (db) => {
        const { '0006-signing-keys': _, ...others } = migrations
        await new Migrator({ db, provider: { getMigrations: async () => others } }).migrateToLatest()
        assert.deepEqual((await migrate(db)).applied, known)
      }))

    it('are applied once by programs that start at the same moment', async () => {
      const name = `migrations_${newId()}`
      const programs = await Promise.all([open(name), open(name), open(name)])
      try {
        const outcomes = await Promise.all(programs.map(migrate))
        for (const { applied, pending } of outcomes) assert.deepEqual([applied, pending], [known, []])
      } finally {
        for (const db of programs) await db.destroy()
      }
    })

    it('refuse a database that is newer than the program, and change nothing (SEC-DB-3)', () =>
      withDatabase(async (db) => {
        await migrate(db)
        await sql`insert into kysely_migration (name, timestamp) values ('9999-later', 'now')`.execute(db)
        const before = await tables(db)
        await assert.rejects(migrate(db), (error: Error) => {
          assert.ok(error instanceof NewerDatabaseError)
          assert.match(error.message, /newer than this program.*9999-later.*Start the newer Watchword/s)
          return true
        })
        assert.deepEqual(await tables(db), before)
        assert.deepEqual(await migrationStatus(db), {
          applied: [...known, '9999-later'],
          pending: [],
          unknown: ['9999-later'],
        })
      }))

    it('refuse a newer database also when some of their own are pending', () =>
      withDatabase(async (db) => {
        await migrate(db)
        await sql`update kysely_migration set name = '9999-later' where name = ${known.at(-1)}`.execute(db)
        await assert.rejects(migrate(db), NewerDatabaseError)
        assert.deepEqual((await migrationStatus(db)).pending, known.slice(-1))
      }))

    it('make no table that is not copied, in an order that its references allow (SEC-DB-4)', () =>
      withDatabase(async (db) => {
        await migrate(db)
        // Parts of a table on PostgreSQL are copied with it.
        const made = (await tables(db)).filter((name) => !/^(kysely|audit_event)_/.test(name))
        assert.deepEqual(copiedTables.map(({ name }) => name).toSorted(), made)
        for (const { name, key } of copiedTables) {
          const columns = (await db.introspection.getTables()).find((table) => table.name === name)?.columns
          for (const column of key)
            assert.ok(
              columns?.some((each) => each.name === column),
              `${name}.${column}`,
            )
          // A key that two rows could share would put them in any order.
          const list = sql.join(key.map((column) => sql.ref(column)))
          const twice = sql`select 1 from ${sql.table(name)} group by ${list} having count(*) > 1`
          assert.deepEqual((await twice.execute(db)).rows, [])
        }
      }))

    it('are applied wholly or not at all (SEC-DB-3)', () =>
      withDatabase(async (db) => {
        // In the way of a table that the first migration makes late.
        await sql`create table audit_event (other integer)`.execute(db)
        await assert.rejects(migrate(db))
        const ours = (await tables(db)).filter((name) => !name.startsWith('kysely_'))
        assert.deepEqual(ours, ['audit_event'])
        assert.deepEqual(await migrationStatus(db), { applied: [], pending: known, unknown: [] })
        await sql`drop table audit_event`.execute(db)
        assert.deepEqual((await migrate(db)).applied, known)
        await makeUser(db)
      }))
  })
}

async function tables(db: Db): Promise<string[]> {
  const found = await db.introspection.getTables({ withInternalKyselyTables: true })
  return found.map(({ name }) => name).sort()
}
