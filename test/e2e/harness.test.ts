import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { Client } from 'pg'
import { type Postgres, startPostgres } from '../support/postgres.ts'

/** Processes that mention the folder in their command line. */
function processesOf(folder: string): string[] {
  const all = execFileSync('ps', ['-eo', 'pid=,user=,args='], { encoding: 'utf8' }).split('\n')
  return all.filter((line) => line.includes(folder))
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

describe('the PostgreSQL of the tests', () => {
  let postgres: Postgres
  before(async () => {
    postgres = await startPostgres()
  })
  after(() => postgres.stop())

  it('answers a query', async () => {
    assert.deepEqual(await query(postgres.url('postgres'), 'select 1 as one'), [{ one: 1 }])
  })

  it('makes databases that do not see each other', async () => {
    const first = await postgres.createDatabase('first')
    const second = await postgres.createDatabase('second one')
    await query(first, 'create table here (id int)')
    await assert.rejects(query(second, 'select * from here'), /does not exist/)
  })

  it('keeps the durability that PostgreSQL has by default', async () => {
    const rows = await query(
      postgres.url('postgres'),
      "select name, setting from pg_settings where name in ('fsync', 'synchronous_commit') order by name",
    )
    assert.deepEqual(rows, [
      { name: 'fsync', setting: 'on' },
      { name: 'synchronous_commit', setting: 'on' },
    ])
  })

  it('listens on its socket only, and not as root', async () => {
    assert.deepEqual(await query(postgres.url('postgres'), 'show listen_addresses'), [
      { listen_addresses: '' },
    ])
    const owners = processesOf(postgres.folder).map((line) => line.trim().split(/\s+/)[1])
    assert.ok(owners.length > 0)
    assert.ok(!owners.includes('root'), owners.join())
  })

  it('keeps what was committed over a crash', async () => {
    const url = await postgres.createDatabase('crash')
    await query(url, 'create table kept as select 42 as answer')
    await postgres.kill()
    await assert.rejects(query(url, 'select 1'))
    await postgres.start()
    assert.deepEqual(await query(url, 'select * from kept'), [{ answer: 42 }])
  })

  it('leaves no process and no file', async () => {
    const other = await startPostgres()
    const open = new Client({ connectionString: other.url('postgres') })
    open.on('error', () => {}) // The cut of this connection is the point.
    await open.connect()
    await other.stop()
    assert.deepEqual(processesOf(other.folder), [])
    assert.equal(existsSync(other.folder), false)
  })
})
