import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { sql } from 'kysely'
import { Client } from 'pg'
import { compose } from '../../src/compose.ts'
import { type Postgres, startPostgres } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import { type Enrolled, startWorld, type World } from '../world.ts'
import { errorOf } from './journeys.ts'

// What another PostgreSQL has taken over from: it answers, and knows nothing of what ended since.
describe('a server whose database is the primary no more', () => {
  let postgres: Postgres
  let world: World
  let user: Enrolled
  before(async () => {
    postgres = await startPostgres()
    world = await startWorld({ databaseUrl: await postgres.createDatabase('watchword') })
    user = await world.enrolled('ada')
  })
  after(async () => {
    await world?.close()
    await postgres?.stop()
  })

  const check = () => user.browser.clone().get('/auth/session/')

  async function asOperator(...statements: readonly string[]): Promise<void> {
    const client = new Client({ connectionString: postgres.url('postgres') })
    await client.connect()
    for (const statement of statements) await client.query(statement)
    await client.end()
  }

  it('lets nobody in by a session while that is set to be read only, over no connection that was there before (SEC-SES-15)', async () => {
    assert.equal((await check()).status, 200)
    await asOperator('alter system set default_transaction_read_only = on', 'select pg_reload_conf()')
    await until(async () => (await check()).status === 503, 'refused')
    for (let asked = 0; asked < 5; asked++)
      assert.deepEqual(errorOf(await check()), [503, 'storage_unavailable'])
    await asOperator(
      'set default_transaction_read_only = off',
      'alter system reset default_transaction_read_only',
      'select pg_reload_conf()',
    )
    await until(async () => (await check()).status === 200, 'let in again')
  })

  it('lets nobody in by a session while that is a standby (SEC-SES-8, SEC-SES-15, FT-DB-1)', async () => {
    await postgres.kill()
    writeFileSync(join(postgres.folder, 'data', 'standby.signal'), '')
    await postgres.start()
    for (let asked = 0; asked < 5; asked++)
      assert.deepEqual(errorOf(await check()), [503, 'storage_unavailable'])
    assert.deepEqual(errorOf(await user.browser.clone().get('/readyz')), [503, 'not_ready'])
    await assert.rejects(compose(world.config), /a replica, or set to be read only/)
    await asOperator('select pg_promote()')
    assert.equal((await check()).status, 200)
  })

  it('has every commit wait for the disk, also where PostgreSQL is set not to (SEC-DB-1)', async () => {
    const settingWith = async (value: string) => {
      const url = await postgres.createDatabase(value)
      await asOperator(`alter database "${value}" set synchronous_commit = ${value}`)
      const other = await startWorld({ databaseUrl: url })
      const { rows } = await sql<{ synchronous_commit: string }>`show synchronous_commit`.execute(
        other.services.db,
      )
      await other.close()
      return rows[0]?.synchronous_commit
    }
    assert.equal(await settingWith('off'), 'on')
    assert.equal(await settingWith('remote_apply'), 'remote_apply')
  })
})
