import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { checkKeys } from '../../src/actions/check-keys.ts'
import { decodeBase32 } from '../../src/domain/otp/base32.ts'
import { hotpCode } from '../../src/domain/otp/hotp.ts'
import { readBackup } from '../../src/store/backup/file.ts'
import { migrateTo, migrationStatus } from '../../src/store/migrate.ts'
import { migrations } from '../../src/store/migrations/index.ts'
import { openDatabase } from '../../src/store/open.ts'
import { done } from '../cli/expect.ts'
import { goodPassword, type Place, placeIn } from '../cli/watchword.ts'
import { countChanges, killAt, spreadOver } from '../support/killed.ts'
import { tryCode, withServicesOn } from '../support/sign-in-check.ts'

/** Kills of each command, spread over its calls; `all` is every call. */
const KILLS = process.env.WW_KILLS === 'all' ? Number.POSITIVE_INFINITY : Number(process.env.WW_KILLS ?? 4)
const seed = Number(process.env.WW_FUZZ_SEED ?? Date.now() % 2 ** 31)

const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const key = decodeBase32(SECRET) ?? new Uint8Array()
const codeOf = (counter: number) => hotpCode(key, counter, { algorithm: 'sha1', digits: 6 })

/** What a command may find, and what is right after it was killed and after it was run once more. */
interface Killing {
  readonly words: readonly string[]
  /** Changes the copy of the data that it runs on. */
  readonly prepare?: (here: Place) => void
  /** What a second run may refuse, since the first had done it all. */
  readonly refusal?: RegExp
  /** Who is there; before the command, after it, or either where it was killed. */
  readonly users?: readonly (readonly string[])[]
  /** Whether there is no database until it has run. */
  readonly intoNothing?: true
  readonly check?: (here: Place, isFinished: boolean) => Promise<void>
}

const everybody = ['alice', 'bob', 'later']
const upTo = (calls: number) => Array.from({ length: calls }, (_, index) => index + 1)

const killings: Readonly<Record<string, Killing>> = {
  'keys rotate': { words: ['keys', 'rotate'] },
  'keys prune': { words: ['keys', 'prune', '--yes'] },
  'keys rotate-signing': { words: ['keys', 'rotate-signing'], refusal: /is published already/ },
  backup: {
    words: ['backup', 'new.backup'],
    refusal: /is there already/,
    check: async ({ folder }, isFinished) => {
      const file = join(folder, 'new.backup')
      // Under its name it is whole, or it is not there.
      if (isFinished || existsSync(file)) assert.equal((await readBackup(file, () => {})).rows.get('user'), 3)
    },
  },
  restore: {
    words: ['restore', 'old.backup', '--yes'],
    users: [everybody, ['alice', 'bob']],
  },
  'restore into nothing': {
    words: ['restore', 'old.backup', '--yes'],
    prepare: ({ databaseFile }) => rmSync(databaseFile),
    users: [['alice', 'bob']],
    intoNothing: true,
  },
  move: {
    words: ['move', '--to', 'sqlite:moved.sqlite3'],
    refusal: /has users/,
    check: async ({ folder, env }, isFinished) => {
      if (!isFinished) return
      await withServicesOn(
        { cwd: folder, env: { ...env, WATCHWORD_DATABASE: 'sqlite:moved.sqlite3' } },
        async ({ db }) => {
          const { count } = await db
            .selectFrom('user')
            .select((eb) => eb.fn.countAll<number>().as('count'))
            .executeTakeFirstOrThrow()
          assert.equal(count, 3)
        },
      )
    },
  },
}

describe(`commands that are killed at any moment, seed ${seed} (FT-CRASH-4, SEC-DB-3, SEC-DB-4)`, {
  concurrency: 2,
}, () => {
  let folder: string
  let original: Place

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ww-killed-'))
    original = placeIn(join(folder, 'original'))
    const { run } = original
    for (const name of ['alice', 'bob'])
      done(await run(`user create ${name} --password-stdin`, { stdin: goodPassword }))
    done(await run('user add-token alice --hotp --name token --key-stdin', { stdin: SECRET }))
    done(await run('keys rotate-signing --at-once --yes'))
    done(await run('backup old.backup'))
    await withServicesOn({ cwd: original.folder, env: original.env }, async (services) => {
      assert.equal(await tryCode(services, 'alice', goodPassword, codeOf(0)), 'signed-in')
      // The signing key of the template is old enough for another.
      await services.db.updateTable('signing_key').set({ used_from: 1, created_at: 1 }).execute()
    })
    done(await run('user create later --password-stdin', { stdin: goodPassword }))
    // An older key, for there to be something to prune.
    done(await run('keys rotate'))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  let copies = 0
  function copy(prepare?: (here: Place) => void): Place {
    const here = placeIn(join(folder, `copy ${++copies}`))
    cpSync(original.folder, here.folder, { recursive: true })
    prepare?.(here)
    return here
  }

  for (const [name, killing] of Object.entries(killings)) {
    it(`${name}: what was acknowledged stays, and a further run finishes`, async (t) => {
      const { words, prepare } = killing
      const counted = copy(prepare)
      const calls = await countChanges(counted, words)
      rmSync(counted.folder, { recursive: true })
      const moments = spreadOver(upTo(calls), KILLS, seed)
      t.diagnostic(`${calls} calls, killed at ${moments.join(' ')}`)
      let killed = 0
      for (const moment of moments) {
        const here = copy(prepare)
        const traced = await killAt(here, words, moment)
        if (traced.isKilled) killed++
        else assert.equal(traced.code, 0, `${moment}: ${traced.stderr}`)
        await assertRight(here, killing, `killed at ${moment}`, false)
        const again = await here.runWords(words)
        const isDone = again.code === 0 || killing.refusal?.test(again.stderr)
        assert.ok(isDone, `again after ${moment}: ${again.stderr}`)
        await assertRight(here, killing, `again after ${moment}`, true)
        rmSync(here.folder, { recursive: true })
      }
      assert.ok(killed > 0, 'it was killed')
    })
  }

  const names = Object.keys(migrations)
  it('migrate: all of them or none from every version on, and a further run finishes', async (t) => {
    let killed = 0
    for (let known = 0; known < names.length; known++) {
      const prepare = async (here: Place) => {
        rmSync(here.databaseFile)
        if (known === 0) return
        const db = await openDatabase({ kind: 'sqlite', path: here.databaseFile })
        await migrateTo(db, names.slice(0, known))
        await db.destroy()
        here.withDatabase((database) =>
          database.exec(`insert into "user" (id, username, canonical_username, display_name, is_superuser,
            has_second_factor, epoch, created_at) values ('early', 'early', 'early', '', 0, 0, 1, 1)`),
        )
      }
      const counted = copy()
      await prepare(counted)
      rmSync(counted.keyFile)
      const calls = await countChanges(counted, ['migrate'])
      rmSync(counted.folder, { recursive: true })
      for (const moment of spreadOver(upTo(calls), Math.ceil(KILLS / 2), seed)) {
        const here = copy()
        await prepare(here)
        rmSync(here.keyFile)
        if ((await killAt(here, ['migrate'], moment)).isKilled) killed++
        const db = await openDatabase({ kind: 'sqlite', path: here.databaseFile })
        const { applied } = await migrationStatus(db)
        await db.destroy()
        const where = `${known} known, killed at ${moment}: ${applied.join(' ')}`
        assert.ok(applied.length === known || applied.length === names.length, where)
        const again = await here.run('migrate')
        assert.equal(again.code, 0, `${where}: ${again.stderr}`)
        assert.deepEqual(usersIn(here), known === 0 ? [] : ['early'], where)
        done(await here.run('keys check'), /Every secret opens/)
        rmSync(here.folder, { recursive: true })
      }
      t.diagnostic(`from ${known} on: ${calls} calls`)
    }
    assert.ok(killed >= names.length, `${killed} were killed`)
  })
})

const usersIn = ({ withDatabase }: Place) =>
  withDatabase((db) =>
    db
      .prepare('select username from "user" order by 1')
      .all()
      .map(({ username }) => String(username)),
  )

/** The database is whole, every secret opens, people sign in, and what was spent is. */
async function assertRight(
  here: Place,
  { users = [everybody], intoNothing, check }: Killing,
  when: string,
  isFinished: boolean,
): Promise<void> {
  const isThere = existsSync(here.databaseFile) && statSync(here.databaseFile).size > 0
  if (!isThere) {
    assert.ok(intoNothing && !isFinished, `${when}: there is a database`)
    return
  }
  await withServicesOn({ cwd: here.folder, env: here.env }, async (services, clock) => {
    const { unopenable, unopenableSigningKeys } = await checkKeys(services)
    assert.deepEqual([unopenable, unopenableSigningKeys], [[], []], when)
    const possible = isFinished ? users.slice(-1) : users
    assert.ok(
      possible.some((names) => names.join() === usersIn(here).join()),
      `${when}: ${usersIn(here)}`,
    )
    clock.now += isFinished ? 7200 : 3600
    assert.notEqual(await tryCode(services, 'alice', goodPassword, codeOf(0)), 'signed-in', when)
    const isTokenGivenUp = intoNothing === true
    if (!isTokenGivenUp)
      assert.equal(
        await tryCode(services, 'alice', goodPassword, codeOf(isFinished ? 2 : 1)),
        'signed-in',
        when,
      )
    const kind = await tryCode(services, 'bob', goodPassword, '000000')
    assert.equal(kind, 'enrolment-required', `${when}: the password of bob is right`)
  })
  here.withDatabase((db) =>
    assert.equal(db.prepare('PRAGMA integrity_check').get()?.integrity_check, 'ok', when),
  )
  if (isFinished) assert.deepEqual(leftovers(here), [], when)
  await check?.(here, isFinished)
}

/** Files that were in the making. */
const leftovers = ({ folder }: Place) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(?:new|part|restoring|rehearsal)(?:-\w+)?$|-journal$/.test(name),
  )
