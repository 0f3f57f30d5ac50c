import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { Client } from 'pg'
import { type Postgres, startPostgres } from '../support/postgres.ts'
import { done, json, misused, refused } from './expect.ts'
import { goodPassword, type Place, place } from './watchword.ts'

let postgres: Postgres

before(async () => {
  postgres = await startPostgres()
})
after(() => postgres.stop())

const PHONE = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

async function peopled(here: Place, env: Record<string, string> = {}): Promise<void> {
  const run = (args: string, stdin = '') => here.run(args, { stdin, env })
  done(await run('user create alice --password-stdin', goodPassword))
  done(await run('user create Ünal --no-password'))
  done(await run('user add-token alice --totp --name phone --key-stdin', PHONE))
  done(await run('group create staff'))
  done(await run('group add staff alice'))
}

test('a database moves to PostgreSQL and back, every row of it', async (t) => {
  const here = place(t)
  await peopled(here)
  const url = await postgres.createDatabase('moved')
  const users = json(await here.run('user list --json'))
  const audit = (await here.run('audit export')).stdout
  const there = json(await here.runWords(['move', '--to', url, '--json']))
  assert.equal(there.tables.user.rows, 2)

  const onPostgres = { env: { WATCHWORD_DATABASE: url } }
  assert.deepEqual(json(await here.run('user list --json', onPostgres)), users)
  done(await here.run('keys check', onPostgres), /Every secret opens/)
  const [first = '', ...moved] = (await here.run('audit export', onPostgres)).stdout
    .trimEnd()
    .split('\n')
    .toReversed()
  assert.equal(JSON.parse(first).event, 'database-moved')
  assert.equal(`${moved.toReversed().join('\n')}\n`, audit)

  const back = join(here.folder, 'back.sqlite3')
  const file = join(here.folder, 'target')
  writeFileSync(file, `sqlite:${back}\n`)
  const again = json(await here.runWords(['move', '--to-file', file, '--json'], onPostgres))
  for (const [name, sums] of Object.entries(there.tables)) {
    if (name !== 'audit_event') assert.deepEqual(again.tables[name], sums, name)
  }
  assert.deepEqual(
    json(await here.run('user list --json', { env: { WATCHWORD_DATABASE: `sqlite:${back}` } })),
    users,
  )
})

test('a move goes to an empty database that is not in use, and half of one leaves nothing', async (t) => {
  const here = place(t)
  await peopled(here)
  const before = readFileSync(here.databaseFile)
  const url = await postgres.createDatabase('refusing')
  misused(await here.run('move'), /--to DATABASE/)
  misused(await here.run(`move --to sqlite:${here.databaseFile}`), /nothing to move/)
  misused(await here.run('move --to mysql://x'), /begins with neither/)
  misused(await here.run('move --to postgres://watchword:secret@127.0.0.1/x'), /--to-file/)

  // A table that takes nothing in stands for whatever stops a move in the middle.
  done(await here.run('migrate', { env: { WATCHWORD_DATABASE: url } }))
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query('ALTER TABLE audit_event ADD CHECK (at < 0)')
  const stopped = await here.runWords(['move', '--to', url])
  assert.equal(stopped.code, 1)
  assert.match(stopped.stderr, /database failed/)
  const { rows } = await client.query('SELECT * FROM "user"')
  assert.deepEqual(rows, [])
  await client.query('ALTER TABLE audit_event DROP CONSTRAINT audit_event_at_check')
  await client.end()
  done(await here.runWords(['move', '--to', url]), /every table was compared/)
  refused(await here.runWords(['move', '--to', url]), /has users/)
  assert.deepEqual(json(await here.run('user list --json')).users.length, 2)
  assert.ok(before.length > 0)
})

test('a backup of one engine is restored on the other', async (t) => {
  const here = place(t)
  await peopled(here)
  const backup = join(here.folder, 'one.backup')
  done(await here.runWords(['backup', backup]))
  const url = await postgres.createDatabase('restored')
  const env = { WATCHWORD_DATABASE: url }
  done(await here.runWords(['restore', backup, '--yes'], { env }), /2 users/)
  assert.deepEqual(json(await here.run('user show alice --json', { env })).groups, ['staff'])
  done(await here.run('keys check', { env }), /Every secret opens/)
  refused(await here.runWords(['restore', backup, '--yes'], { env }), /has users/)
  refused(await here.runWords(['restore', backup, '--dry-run'], { env }), /database of its own/)

  const client = new Client({ connectionString: url, application_name: 'watchword' })
  await client.connect()
  refused(await here.runWords(['restore', backup, '--yes'], { env }), /in use/)
  refused(await here.run(`move --to sqlite:${here.folder}/x.sqlite3`, { env }), /in use/)
  await client.end()

  const second = join(here.folder, 'two.backup')
  done(await here.runWords(['backup', second], { env }))
  done(await here.runWords(['restore', second, '--yes']), /2 users/)
})

test('a restore into PostgreSQL is whole or leaves nothing, and keeps what guesses were charged (SEC-DB-4, SEC-RATE-1)', async (t) => {
  const here = place(t)
  await peopled(here)
  here.withDatabase((db) => {
    db.exec(`insert into attempts (key, count, since, blocked_until) values
      ('site:more then', 9, 90, 900), ('site:more now', 1, 10, 0)`)
  })
  const backup = join(here.folder, 'one.backup')
  done(await here.runWords(['backup', backup]))
  here.withDatabase((db) => db.exec(`update otp_device set sealed_key = 'v1.00000000.AAAA'`))
  const broken = join(here.folder, 'broken.backup')
  done(await here.runWords(['backup', broken]))

  const url = await postgres.createDatabase('whole')
  const env = { WATCHWORD_DATABASE: url }
  done(await here.run('migrate', { env }))
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(`insert into attempts (key, count, since, blocked_until) values
    ('site:more then', 2, 20, 0), ('site:more now', 8, 80, 800), ('site:only now', 7, 70, 700)`)
  const rowsIn = async (table: string) =>
    (await client.query({ text: `select * from ${table} order by 1`, rowMode: 'array' })).rows
  const before = await rowsIn('attempts')
  refused(
    await here.runWords(['restore', broken, '--yes'], { env }),
    /1 secrets of the backup do not open with .*key file of that time/,
  )
  for (const table of [
    '"user"',
    'otp_device',
    'password_hash',
    'group_member',
    'audit_event',
    'installation',
  ])
    assert.deepEqual(await rowsIn(table), [], table)
  assert.deepEqual(await rowsIn('attempts'), before)

  done(await here.runWords(['restore', backup, '--yes'], { env }), /2 users/)
  assert.deepEqual(await rowsIn('attempts'), [
    ['site:more now', '8', '80', '800'],
    ['site:more then', '9', '90', '900'],
    ['site:only now', '7', '70', '700'],
  ])
  await client.end()
})

test('a move with a key file that is not of the database has written nothing', async (t) => {
  const here = place(t)
  await peopled(here)
  const other = place(t)
  await peopled(other)
  const url = await postgres.createDatabase('unopened')
  const env = { WATCHWORD_KEY_FILE: other.keyFile }
  refused(await here.runWords(['move', '--to', url], { env }), /does not belong to this database/)
  const missing = join(here.folder, 'nowhere')
  refused(await here.runWords(['move', '--to', url], { env: { WATCHWORD_KEY_FILE: missing } }), /is missing/)
  const client = new Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query("select 1 from information_schema.tables where table_schema = 'public'")
  assert.deepEqual(rows, [])
  await client.end()
  done(await here.runWords(['move', '--to', url]), /every table was compared/)
})

test('a move that was stopped after it had written everything is finished by another (FT-CRASH-4)', async (t) => {
  const here = place(t)
  await peopled(here)
  const file = join(here.folder, 'moved.sqlite3')
  const words = ['move', '--to', `sqlite:${file}`]
  done(await here.runWords(words))
  refused(await here.runWords(words), /has users/)
  const moved = new DatabaseSync(file)
  moved.exec("delete from audit_event where event = 'database-moved'")
  moved.close()
  done(await here.runWords(words), /every table was compared/)
})
