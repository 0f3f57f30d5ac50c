import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { checkKeys } from '../../src/actions/check-keys.ts'
import { decodeBase32 } from '../../src/domain/otp/base32.ts'
import { hotpCode } from '../../src/domain/otp/hotp.ts'
import { writeBackup } from '../../src/store/backup/file.ts'
import { openSnapshot } from '../../src/store/backup/snapshot.ts'
import { migrateTo, migrationStatus } from '../../src/store/migrate.ts'
import { migrations } from '../../src/store/migrations/index.ts'
import { openDatabase } from '../../src/store/open.ts'
import { done, refused } from '../cli/expect.ts'
import { goodPassword, type Place, placeIn } from '../cli/watchword.ts'
import { changesThatLeave, killAt, spreadOver } from '../support/killed.ts'
import { type Postgres, startPostgres } from '../support/postgres.ts'
import { tryCode, withServicesOn } from '../support/sign-in-check.ts'

/** Kills of each command, spread over what it sends and writes; `all` is every one. */
const KILLS = process.env.WW_KILLS === 'all' ? Number.POSITIVE_INFINITY : Number(process.env.WW_KILLS ?? 2)
const seed = Number(process.env.WW_FUZZ_SEED ?? Date.now() % 2 ** 31)

const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const key = decodeBase32(SECRET) ?? new Uint8Array()
const codeOf = (counter: number) => hotpCode(key, counter, { algorithm: 'sha1', digits: 6 })
const names = Object.keys(migrations)

/** A copy of the folder and, unless it begins with nothing, of the database. */
interface Copy {
  readonly here: Place
  readonly database: string
  readonly url: string
  /** The program with the settings that the command is given. */
  readonly run: Place
}

interface Killing {
  readonly words: (copy: Copy) => readonly string[]
  /** What the database is a copy of: one that is in use, or an empty one. */
  readonly onto: 'used' | 'nothing'
  /** Whether the settings name the SQLite file, and the words the database of PostgreSQL. */
  readonly fromFile?: true
  /** What a second run may refuse, since the first had done it all. */
  readonly refusal?: RegExp
  readonly users: readonly string[]
  /** Whether the counter of the token is known, so that its next code opens. */
  readonly keepsToken: boolean
}

const restored = { onto: 'nothing', refusal: /has users/, keepsToken: false } as const
const killings: Readonly<Record<string, Killing>> = {
  'keys rotate': {
    words: () => ['keys', 'rotate'],
    ...{ onto: 'used', users: ['alice', 'bob'], keepsToken: true },
  },
  'keys prune': {
    words: () => ['keys', 'prune', '--yes'],
    ...{ onto: 'used', users: ['alice', 'bob'], keepsToken: true },
  },
  restore: { words: () => ['restore', 'one.backup', '--yes'], ...restored, users: ['alice', 'bob'] },
  'restore of the first version': {
    words: () => ['restore', 'early.backup', '--yes'],
    ...{ ...restored, users: ['early'] },
  },
  move: {
    words: ({ url }) => ['move', '--to', url],
    ...{ onto: 'nothing', fromFile: true, refusal: /has users/, users: ['alice', 'bob'], keepsToken: true },
  },
}

describe(`commands on PostgreSQL that are killed at any moment, seed ${seed} (FT-CRASH-4, SEC-DB-3, SEC-DB-4)`, {
  concurrency: 2,
}, () => {
  let folder: string
  let original: Place
  let postgres: Postgres
  let admin: Client

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ww-killed-'))
    original = placeIn(join(folder, 'original'))
    postgres = await startPostgres()
    admin = new Client({ connectionString: postgres.url('postgres') })
    await admin.connect()
    const { run, env } = original
    for (const name of ['alice', 'bob'])
      done(await run(`user create ${name} --password-stdin`, { stdin: goodPassword }))
    done(await run('user add-token alice --hotp --name token --key-stdin', { stdin: SECRET }))
    done(await run('keys rotate-signing --at-once --yes'))
    // An older key, for there to be something to prune.
    done(await run('keys rotate'))
    await withServicesOn({ cwd: original.folder, env }, async (services) =>
      assert.equal(await tryCode(services, 'alice', goodPassword, codeOf(0)), 'signed-in'),
    )
    done(await run('backup one.backup'))
    done(await original.runWords(['move', '--to', await postgres.createDatabase('used')]))
    await backUpFirstVersion()
  })
  after(async () => {
    await admin.end()
    await postgres.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** A backup that a restore has to bring up to date, of one user of the first version. */
  async function backUpFirstVersion(): Promise<void> {
    const path = join(folder, 'early.sqlite3')
    await migrated(path, names.slice(0, 1))
    const snapshot = await openSnapshot({ kind: 'sqlite', path })
    const keyFingerprint = await withServicesOn(
      { cwd: original.folder, env: original.env },
      async ({ sealer }) => sealer.fingerprint(),
    )
    const header = { madeAt: 1_700_000_000, keyFingerprint, keys: undefined }
    await writeBackup(join(original.folder, 'early.backup'), snapshot, header, () => {})
    await snapshot.close()
  }

  let copies = 0
  async function copy({ onto, fromFile }: Pick<Killing, 'onto' | 'fromFile'>): Promise<Copy> {
    const number = ++copies
    const database = `copy ${number}`
    const here = placeIn(join(folder, database))
    cpSync(original.folder, here.folder, { recursive: true })
    const template = onto === 'used' ? 'used' : 'template1'
    await admin.query(`CREATE DATABASE "${database}" TEMPLATE ${template}`)
    const url = postgres.url(database)
    const env = { ...here.env, ...(fromFile === undefined && { WATCHWORD_DATABASE: url }) }
    return { here, database, url, run: { ...here, env } }
  }

  async function drop({ here, database }: Copy): Promise<void> {
    await admin.query(`DROP DATABASE "${database}" WITH (FORCE)`)
    rmSync(here.folder, { recursive: true })
  }

  /** The server takes a moment to see that a program is gone. */
  async function untilUnused(database: string): Promise<void> {
    for (let tries = 0; tries < 3000; tries++) {
      const { rows } = await admin.query('SELECT 1 FROM pg_stat_activity WHERE datname = $1', [database])
      if (rows.length === 0) return
      await delay(20)
    }
    assert.fail(`${database} is used by a program that is gone`)
  }

  for (const [name, killing] of Object.entries(killings)) {
    it(`${name}: wholly there or not at all, and a further run finishes`, async (t) => {
      const counted = await copy(killing)
      const calls = await changesThatLeave(counted.run, killing.words(counted))
      await untilUnused(counted.database)
      await assertRight(counted, killing, 'unhindered', true)
      await drop(counted)
      const moments = spreadOver(calls, KILLS, seed)
      t.diagnostic(`${calls.length} calls, killed at ${moments.join(' ')}`)
      let killed = 0
      for (const moment of moments) {
        const copied = await copy(killing)
        const words = killing.words(copied)
        const traced = await killAt(copied.run, words, moment)
        if (traced.isKilled) killed++
        else assert.equal(traced.code, 0, `${moment}: ${traced.stderr}`)
        await untilUnused(copied.database)
        await assertRight(copied, killing, `killed at ${moment}`, false)
        const again = await copied.run.runWords(words, { env: copied.run.env })
        const isDone = again.code === 0 || killing.refusal?.test(again.stderr)
        assert.ok(isDone, `again after ${moment}: ${again.stderr}`)
        await untilUnused(copied.database)
        await assertRight(copied, killing, `again after ${moment}`, true)
        await drop(copied)
      }
      assert.ok(killed > 0, 'it was killed')
    })
  }

  it('a restore says when an empty database is of a later version than the backup', async () => {
    const copied = await copy({ onto: 'nothing' })
    const { run } = copied
    done(await run.run('migrate', { env: run.env }))
    refused(
      await run.runWords(['restore', 'early.backup', '--yes'], { env: run.env }),
      /tables of a later version.*one without tables/,
    )
    await untilUnused(copied.database)
    await drop(copied)
  })

  it('migrate: all of them or none from every version on, and a further run finishes', async (t) => {
    let killed = 0
    for (let known = 0; known < names.length; known++) {
      const prepare = async () => {
        const copied = await copy({ onto: 'nothing' })
        if (known > 0) await migrated(copied.url, names.slice(0, known))
        return copied
      }
      const counted = await prepare()
      const calls = await changesThatLeave(counted.run, ['migrate'])
      await untilUnused(counted.database)
      await drop(counted)
      for (const moment of spreadOver(calls, Math.ceil(KILLS / 2), seed)) {
        const copied = await prepare()
        const { url, database, run } = copied
        if ((await killAt(run, ['migrate'], moment)).isKilled) killed++
        await untilUnused(database)
        const db = await openDatabase({ kind: 'postgres', url })
        const { applied } = await migrationStatus(db)
        await db.destroy()
        const where = `${known} known, killed at ${moment}: ${applied.join(' ')}`
        assert.ok(applied.length === known || applied.length === names.length, where)
        const again = await run.run('migrate', { env: run.env })
        assert.equal(again.code, 0, `${where}: ${again.stderr}`)
        assert.deepEqual(await usersIn(url), known === 0 ? [] : ['early'], where)
        done(await run.run('keys check', { env: run.env }), /Every secret opens/)
        await drop(copied)
      }
      t.diagnostic(`from ${known} on: ${calls.length} calls`)
    }
    assert.ok(killed >= names.length, `${killed} were killed`)
  })
})

/** A database of an earlier version with one user. */
async function migrated(target: string, known: readonly string[]): Promise<void> {
  const db = await openDatabase(
    target.startsWith('postgres:') ? { kind: 'postgres', url: target } : { kind: 'sqlite', path: target },
  )
  await migrateTo(db, known)
  await db
    .withTables<{ user: Readonly<Record<string, string | number>> }>()
    .insertInto('user')
    .values({
      ...{ id: 'early', username: 'early', canonical_username: 'early', display_name: '' },
      ...{ is_superuser: 0, has_second_factor: 0, epoch: 1, created_at: 1 },
    })
    .execute()
  await db.destroy()
}

/** Who is there; `undefined` where there are no tables. */
async function usersIn(url: string): Promise<string[] | undefined> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ table: string | null }>(`SELECT to_regclass('"user"') AS table`)
    if (rows[0]?.table === null) return undefined
    const users = await client.query<{ username: string }>('SELECT username FROM "user" ORDER BY username')
    return users.rows.map(({ username }) => username)
  } finally {
    await client.end()
  }
}

/** Nothing is there, or everything: every secret opens, people sign in, and what was spent is. */
async function assertRight(
  { here, url }: Copy,
  { onto, users, keepsToken }: Killing,
  when: string,
  isFinished: boolean,
): Promise<void> {
  const there = await usersIn(url)
  if (there === undefined || there.length === 0) {
    assert.ok(onto === 'nothing' && !isFinished, `${when}: there are users`)
    return
  }
  assert.deepEqual(there, users, when)
  await withServicesOn(
    { cwd: here.folder, env: { ...here.env, WATCHWORD_DATABASE: url } },
    async (services, clock) => {
      const { unopenable, unopenableSigningKeys } = await checkKeys(services)
      assert.deepEqual([unopenable, unopenableSigningKeys], [[], []], when)
      if (!users.includes('alice')) return
      clock.now += isFinished ? 7200 : 3600
      assert.notEqual(await tryCode(services, 'alice', goodPassword, codeOf(0)), 'signed-in', when)
      if (keepsToken) {
        const next = await tryCode(services, 'alice', goodPassword, codeOf(isFinished ? 2 : 1))
        assert.equal(next, 'signed-in', when)
      }
      const kind = await tryCode(services, 'bob', goodPassword, '000000')
      assert.equal(kind, 'enrolment-required', `${when}: the password of bob is right`)
    },
  )
  if (!isFinished) return
  const left = readdirSync(here.folder, { recursive: true, encoding: 'utf8' })
  assert.deepEqual(
    left.filter((name) => /\.(?:new|part|restoring)(?:-\w+)?$/.test(name)),
    [],
    when,
  )
}
