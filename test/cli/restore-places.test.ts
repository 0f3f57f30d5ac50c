import assert from 'node:assert/strict'
import {
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, type TestContext, test } from 'node:test'
import { readKeyFile } from '../../src/crypto/key-file.ts'
import { createSealer } from '../../src/crypto/sealer.ts'
import { writeBackup } from '../../src/store/backup/file.ts'
import { openSnapshot } from '../../src/store/backup/snapshot.ts'
import { migrateTo } from '../../src/store/migrate.ts'
import { migrations } from '../../src/store/migrations/index.ts'
import { openDatabase } from '../../src/store/open.ts'
import { startWatchword } from '../support/watchword.ts'
import { done, json, refused } from './expect.ts'
import { goodPassword, type Place, place } from './watchword.ts'

/** A place with one user, and a backup of it. */
async function backedUp(t: TestContext): Promise<{ here: Place; backup: string }> {
  const here = place(t)
  done(await here.run('user create alice --password-stdin', { stdin: goodPassword }))
  const backup = join(here.folder, 'one.backup')
  done(await here.runWords(['backup', backup]))
  return { here, backup }
}

const usersOf = async (here: Place) =>
  json(await here.run('user list --json')).users.map(({ username, disabled }: Listed) =>
    disabled ? `${username} (disabled)` : username,
  )

interface Listed {
  readonly username: string
  readonly disabled: boolean
}

const integrity = (here: Place) =>
  here.withDatabase((db) => db.prepare('PRAGMA integrity_check').get()?.integrity_check)

describe('where a backup is restored (SEC-DB-4, FT-REST-1)', { concurrency: 2 }, () => {
  test('the log of a database that was taken away is not played into the one that comes', async (t) => {
    const { here, backup } = await backedUp(t)
    const server = await startWatchword(here.folder, {
      ...here.env,
      WATCHWORD_LISTEN: '127.0.0.1:0',
      WATCHWORD_ORIGIN: 'http://127.0.0.1',
      WATCHWORD_AUTHORIZER_LISTEN: 'off',
    })
    try {
      done(await here.run('user create mallory --password-stdin', { stdin: goodPassword }))
    } finally {
      await server.kill()
    }
    assert.ok(statSync(`${here.databaseFile}-wal`).size > 0)
    renameSync(here.databaseFile, `${here.databaseFile}.away`)
    done(await here.runWords(['restore', backup, '--yes']))
    assert.deepEqual(await usersOf(here), ['alice'])
    assert.equal(integrity(here), 'ok')
  })

  test('behind a link the file that it leads to is replaced, and the link stays', async (t) => {
    const { here, backup } = await backedUp(t)
    const disk = join(here.folder, 'other disk')
    mkdirSync(disk)
    const real = join(disk, 'data base')
    renameSync(here.databaseFile, real)
    symlinkSync(real, here.databaseFile)
    done(await here.run('user create mallory --no-password'))
    done(await here.runWords(['restore', backup, '--yes']))
    assert.ok(lstatSync(here.databaseFile).isSymbolicLink())
    assert.deepEqual(await usersOf(here), ['alice'])
    assert.deepEqual(
      readdirSync(disk)
        .filter((name) => !/-(?:wal|shm)$/.test(name))
        .map((name) => name.replace(/before-.*/, 'before')),
      ['data base', 'data base.before'],
    )
  })

  test('of two restores at once into nothing, one at a time has the place', async (t) => {
    const { here, backup } = await backedUp(t)
    rmSync(here.databaseFile)
    const both = await Promise.all([1, 2].map(() => here.runWords(['restore', backup, '--yes'])))
    assert.ok(both.some(({ code }) => code === 0))
    for (const ran of both.filter(({ code }) => code !== 0)) refused(ran, /is in use/)
    assert.deepEqual(await usersOf(here), ['alice'])
    assert.equal(integrity(here), 'ok')
    const left = readdirSync(dirname(here.databaseFile)).filter((name) => /restoring|rehearsal/.test(name))
    assert.deepEqual(left, [])
  })

  test('a rehearsal into nothing leaves nothing, and so does a restore that is refused', async (t) => {
    const { here, backup } = await backedUp(t)
    const key = { stdin: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ' }
    done(await here.run('user add-token alice --totp --name phone --key-stdin', key))
    here.withDatabase((db) => db.exec(`update otp_device set sealed_key = 'v1.00000000.AAAA'`))
    const broken = join(here.folder, 'broken.backup')
    done(await here.runWords(['backup', broken]))
    for (const name of readdirSync(dirname(here.databaseFile))) rmSync(join(dirname(here.databaseFile), name))
    done(await here.runWords(['restore', backup, '--dry-run']), /Would restore/)
    assert.deepEqual(readdirSync(dirname(here.databaseFile)), [])
    refused(await here.runWords(['restore', broken, '--yes']), /1 secrets of the backup do not open/)
    assert.deepEqual(readdirSync(dirname(here.databaseFile)), [])
  })

  test('a server that was started once after all was lost does not count as what came later', async (t) => {
    const { here, backup } = await backedUp(t)
    rmSync(here.databaseFile)
    done(await here.run('migrate'))
    done(await here.runWords(['restore', backup, '--yes']), /There is no database to compare with/)
    assert.deepEqual(await usersOf(here), ['alice'])
  })

  test('a password that was to be changed since is to be changed still', async (t) => {
    const { here, backup } = await backedUp(t)
    here.withDatabase((db) => db.exec('update password_hash set must_change = 1'))
    done(await here.runWords(['restore', backup, '--yes']))
    const { must_change } = here.withDatabase(
      (db) => db.prepare('select must_change from password_hash').get() ?? {},
    )
    assert.equal(must_change, 1)
  })

  test('a backup of any earlier version is brought up to date (SEC-DB-3)', async (t) => {
    const { here } = await backedUp(t)
    const keys = readKeyFile(here.keyFile)
    assert.ok(keys !== undefined)
    const names = Object.keys(migrations)
    for (const known of [1, Math.ceil(names.length / 2), names.length - 1]) {
      const older = { kind: 'sqlite', path: join(here.folder, `older-${known}`) } as const
      const db = await openDatabase(older)
      await migrateTo(db, names.slice(0, known))
      await db.destroy()
      const database = new DatabaseSync(older.path)
      database.exec(`insert into "user" (id, username, canonical_username, display_name, is_superuser,
        has_second_factor, epoch, created_at) values ('early', 'early', 'early', '', 0, 0, 1, 1)`)
      database.close()
      const snapshot = await openSnapshot(older)
      const backup = `${older.path}.backup`
      const header = { madeAt: 1, keyFingerprint: createSealer(keys).fingerprint(), keys: undefined }
      await writeBackup(backup, snapshot, header, () => {})
      await snapshot.close()
      rmSync(here.databaseFile)
      done(await here.runWords(['restore', backup, '--yes']), /1 users/)
      assert.deepEqual(await usersOf(here), ['early'], `${known} migrations`)
      done(await here.run('migrate'), /up to date/i)
    }
  })

  test('what replaces nothing belongs to whom the folder belongs to, keys too', async (t) => {
    const { here } = await backedUp(t)
    const backup = join(here.folder, 'whole.backup')
    const passphrase = { stdin: 'four plain words together' }
    done(await here.runWords(['backup', backup, '--with-keys', '--passphrase-stdin'], passphrase))
    const folders = [dirname(here.databaseFile), dirname(here.keyFile)]
    // Only root may give files away; whoever else restores owns the folders already.
    if (process.getuid?.() === 0) for (const folder of folders) chownSync(folder, 4711, 4711)
    rmSync(here.databaseFile)
    rmSync(here.keyFile)
    done(await here.runWords(['restore', backup, '--yes', '--with-keys', '--passphrase-stdin'], passphrase))
    for (const file of [here.databaseFile, here.keyFile]) {
      assert.equal(statSync(file).uid, statSync(dirname(file)).uid, file)
      assert.equal(statSync(file).mode & 0o777, 0o600, file)
    }
  })

  test('a file that is no database any more is to be moved away first', async (t) => {
    const { here, backup } = await backedUp(t)
    writeFileSync(here.databaseFile, 'x'.repeat(10_000))
    refused(await here.runWords(['restore', backup, '--yes']), /Stop every server, and move the file away/)
    renameSync(here.databaseFile, `${here.databaseFile}.away`)
    done(await here.runWords(['restore', backup, '--yes']))
    assert.deepEqual(await usersOf(here), ['alice'])
  })
})
