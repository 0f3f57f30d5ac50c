import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Postgres, startPostgres } from '../support/postgres.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const run = promisify(execFile)

/** How many people are moved; a soak takes 100,000. */
const people = Number(process.env.WATCHWORD_IMPORT_PEOPLE ?? 20_000)

/** Room for the program's own objects in MiB; the people would not fit into it at once. */
const HEAP = 96

describe(`an import of ${people} people`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'ww-many-'))
  const source = join(folder, 'django.sqlite3')
  let postgres: Postgres
  before(async () => {
    writeSite(source)
    postgres = await startPostgres()
  })
  after(async () => {
    await postgres.stop()
    rmSync(folder, { recursive: true })
  })

  for (const engine of ['SQLite', 'PostgreSQL'] as const) {
    it(`is one transaction in little memory on ${engine}, and a second one finds everybody`, async (t) => {
      const env = {
        PATH: process.env.PATH ?? '',
        HOME: folder,
        WATCHWORD_DATA: join(folder, engine),
        ...(engine === 'PostgreSQL' && { WATCHWORD_DATABASE: await postgres.createDatabase('many') }),
      }
      const words = [main, 'import', 'django', '--database', `sqlite:${source}`]
      for (const said of [`Made: ${people}, changed: 0`, `unchanged: ${people}, left out: 0`]) {
        const start = performance.now()
        const { stdout } = await run(process.execPath, [`--max-old-space-size=${HEAP}`, ...words], { env })
        assert.ok(stdout.includes(said), stdout.slice(-500))
        t.diagnostic(`${said} in ${Math.round((performance.now() - start) / 1000)} s`)
      }
    })
  }
})

/** A site of Django as far as it is read: each person with a phone, ten tokens and a group. */
function writeSite(path: string): void {
  const db = new DatabaseSync(path)
  db.exec(`
    create table auth_user (id integer primary key, username text, password text, first_name text, last_name text,
      is_active bool, is_superuser bool, date_joined datetime, last_login datetime);
    create table auth_group (id integer primary key, name text);
    create table auth_user_groups (id integer primary key, user_id integer, group_id integer);
    create index groups_of on auth_user_groups (user_id);
    create table otp_totp_totpdevice (id integer primary key, user_id integer, name text, confirmed bool, key text,
      step integer, t0 integer, digits integer, drift integer, last_t integer);
    create index totp_of on otp_totp_totpdevice (user_id);
    create table otp_static_staticdevice (id integer primary key, user_id integer, confirmed bool);
    create index static_of on otp_static_staticdevice (user_id);
    create table otp_static_statictoken (id integer primary key, device_id integer, token text);
    create index token_of on otp_static_statictoken (device_id);
    create temp table n as with recursive n(i) as (select 1 union all select i + 1 from n where i < ${people}) select i from n;
    insert into auth_user select i, 'user' || i, 'pbkdf2_sha256$260000$' || hex(randomblob(8)) || '$' || 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
      'First', 'Last', 1, 0, '2026-01-01 00:00:00', null from n;
    insert into auth_group values (1, 'staff');
    insert into auth_user_groups select i, i, 1 from n;
    insert into otp_totp_totpdevice select i, i, 'phone', 1, hex(randomblob(20)), 30, 0, 6, 0, -1 from n;
    insert into otp_static_staticdevice select i, i, 1 from n;
  `)
  const insert = db.prepare('insert into otp_static_statictoken (device_id, token) values (?, ?)')
  const letters = 'abcdefghijklmnopqrstuvwxyz234567'
  db.exec('begin')
  for (let user = 1; user <= people; user++) {
    for (let token = 0; token < 10; token++) {
      let text = letters.charAt(token)
      for (let left = user, at = 0; at < 7; at++, left = Math.floor(left / 32))
        text += letters.charAt(left % 32)
      insert.run(user, text)
    }
  }
  db.exec('commit')
  db.close()
}
