import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import type { ImportRecord } from '../../src/domain/import-record.ts'
import { readDjango } from '../../src/sources/django.ts'
import { djangoHash } from '../../src/sources/django-hash.ts'
import { SourceError } from '../../src/sources/source-error.ts'

const folder = mkdtempSync(join(tmpdir(), 'ww-sources-'))
after(() => rmSync(folder, { recursive: true }))

/** Tables as Django makes them, as far as they are read. */
const schema = `
  create table auth_user (id integer primary key, username varchar(150), password varchar(128), first_name varchar(150),
    last_name varchar(150), is_active bool, is_superuser bool, date_joined datetime, last_login datetime);
  create table auth_group (id integer primary key, name varchar(150));
  create table auth_user_groups (id integer primary key, user_id integer, group_id integer);
  create table otp_totp_totpdevice (id integer primary key, user_id integer, name varchar(64), confirmed bool,
    key varchar(80), step smallint, t0 bigint, digits smallint, drift smallint, last_t bigint);
  create table otp_static_staticdevice (id integer primary key, user_id integer, confirmed bool);
  create table otp_static_statictoken (id integer primary key, device_id integer, token varchar(16));
  insert into auth_user values (1, 'anna', '!', 'Anna', 'M', 1, 0, '2026-01-31 12:34:56.789', null);
  insert into otp_totp_totpdevice values (1, 1, 'phone', 1, '3132333435363738393031323334353637383930', 30, 0, 6, 0, 9);
  insert into auth_group values (1, 'staff');
  insert into auth_user_groups values (1, 1, 1);
  insert into otp_static_staticdevice values (1, 1, 1);
  insert into otp_static_statictoken values (1, 1, 'abcd2345');
`

let made = 0
function database(more = ''): string {
  const path = join(folder, `${++made}.sqlite3`)
  const db = new DatabaseSync(path)
  db.exec(schema + more)
  db.close()
  return path
}

async function read(
  path: string,
  more: Partial<Parameters<typeof readDjango>[0]> = {},
): Promise<ImportRecord[]> {
  const source = { userTable: 'auth_user', profileTable: undefined, base32Keys: false, ...more }
  return Array.fromAsync(readDjango({ database: `sqlite:${path}`, ...source }))
}

describe('the tables of Django', () => {
  it('are read as they are', async () => {
    const [anna, ...more] = await read(database())
    assert.deepEqual(more, [])
    assert.deepEqual(anna, {
      sourceId: '1',
      username: 'anna',
      displayName: 'Anna M',
      isSuperuser: false,
      isDisabled: false,
      createdAt: Date.UTC(2026, 0, 31, 12, 34, 56) / 1000,
      lastSignInAt: undefined,
      passwordHash: undefined,
      isPin: false,
      groups: ['staff'],
      devices: [
        {
          kind: 'totp',
          sourceId: 'totp 1',
          name: 'phone',
          key: Buffer.from('12345678901234567890'),
          algorithm: 'sha1',
          digits: 6,
          period: 30,
          t0: 0,
          drift: 0,
          lastUsedStep: 9,
          counter: 0,
          lastUsedAt: undefined,
        },
      ],
      codes: ['abcd2345'],
      notes: [],
    })
  })

  it('tell of a second factor of whatever kind, so that none is forgotten (SEC-AUTH-4)', async () => {
    const users = ['sms', 'half', 'spent', 'plain'].map(
      (name, at) => `insert into auth_user values (${at + 2}, '${name}', '!', '', '', 1, 0, null, null);`,
    )
    const people = await read(
      database(`${users.join('')}
        create table two_factor_phonedevice (id integer primary key, user_id integer, name text, confirmed bool);
        insert into two_factor_phonedevice values (1, 2, 'default', 1), (2, 3, 'default', 0);
        insert into otp_static_staticdevice values (2, 4, 1);`),
    )
    assert.deepEqual(
      people.map(({ username, devices }) => [username, devices.map(({ kind }) => kind)]),
      [
        ['anna', ['totp']],
        ['sms', ['unreadable']],
        ['half', []],
        ['spent', ['unreadable']],
        ['plain', []],
      ],
    )
  })

  it('are read a page at a time, all of them', async () => {
    const path = database(`
      insert into auth_user (id, username, password, is_active)
        with recursive n(i) as (select 2 union all select i + 1 from n where i < 1234) select i * 7, 'u' || i, '!', 1 from n;`)
    const people = await read(path)
    assert.equal(people.length, 1234)
    assert.equal(new Set(people.map(({ sourceId }) => sourceId)).size, 1234)
  })

  it('may hold anything: whoever is not said to be active stays out, and no field is believed (FT-FUZZ-5)', async () => {
    const path = database(`
      insert into auth_user values (2, x'ff00', null, x'c3', 5, 'yes', 'no', 'never', 12);
      insert into auth_user values (3, null, 7, null, null, null, null, null, null);
      insert into auth_user (id, username, password, is_active) values (4, replace(hex(zeroblob(1000000)), '0', 'x'), '!', 1);
      insert into otp_totp_totpdevice values (2, 2, null, 1, x'00', 'x', -1, 99999999999999999999, null, 1.5);
      insert into otp_totp_totpdevice values (3, 3, 'p', 'true', 'zz', 30, 0, 6, 0, -1);`)
    const people = await read(path)
    assert.deepEqual(
      people.map(({ username, isDisabled, isSuperuser }) => [username.slice(0, 5), isDisabled, isSuperuser]),
      [
        ['anna', false, false],
        ['', true, false],
        ['', true, false],
        ['xxxxx', false, false],
      ],
    )
    assert.equal(people[3]?.username.length, 600)
    assert.equal(people[1]?.devices[0]?.kind, 'unreadable')
    assert.deepEqual(people[2]?.devices, [])
  })

  it('are tables: a view of that name is not asked', async () => {
    const path = join(folder, 'view.sqlite3')
    const db = new DatabaseSync(path)
    db.exec(`create view auth_user as with recursive n(id) as (select 1 union all select id + 1 from n)
      select id, 'x' as username, '!' as password from n`)
    db.close()
    await assert.rejects(
      read(path),
      (error) => error instanceof SourceError && /no table/.test(error.message),
    )
  })

  it('may be damaged anywhere: they are read or refused in a sentence (FT-FUZZ-5)', async () => {
    const whole = readFileSync(database())
    const path = join(folder, 'damaged.sqlite3')
    const outcomes = { read: 0, refused: 0 }
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 60 }),
        fc.option(fc.nat(whole.length)),
        async (changes, cut) => {
          const bytes = Buffer.from(whole.subarray(0, cut ?? whole.length))
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
          writeFileSync(path, bytes)
          try {
            await read(path)
            outcomes.read++
          } catch (error) {
            assert.ok(error instanceof SourceError, String(error))
            outcomes.refused++
          }
        },
      ),
      { numRuns: 400 },
    )
    assert.ok(outcomes.read > 0 && outcomes.refused > 0)
  })
})

describe('passwords of Django', () => {
  it('lose the names that stand before a format of its own, and are none when unusable', () => {
    assert.equal(djangoHash('argon2$argon2id$v=19$m=8,t=1,p=1$a$b'), '$argon2id$v=19$m=8,t=1,p=1$a$b')
    assert.equal(djangoHash('bcrypt$$2b$12$x'), '$2b$12$x')
    assert.equal(djangoHash('bcrypt_sha256$$2b$12$x'), 'bcrypt_sha256$$2b$12$x')
    assert.equal(djangoHash('0123456789abcdef0123456789abcdef'), 'md5$$0123456789abcdef0123456789abcdef')
    assert.equal(djangoHash('!x'), undefined)
    assert.equal(djangoHash(''), undefined)
  })
})
