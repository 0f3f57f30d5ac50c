import { copyFileSync, cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { decodeBase32 } from '../../../src/domain/otp/base32.ts'
import { hotpCode } from '../../../src/domain/otp/hotp.ts'
import { writeBackup } from '../../../src/store/backup/file.ts'
import { openSnapshot } from '../../../src/store/backup/snapshot.ts'
import { migrateTo } from '../../../src/store/migrate.ts'
import { migrations } from '../../../src/store/migrations/index.ts'
import { type DatabaseTarget, openDatabase } from '../../../src/store/open.ts'
import { done } from '../../../test/cli/expect.ts'
import { goodPassword, type Place, placeIn } from '../../../test/cli/watchword.ts'
import { startPostgres } from '../../../test/support/postgres.ts'
import { tryCode, withServicesOn } from '../../../test/support/sign-in-check.ts'
import { until } from '../bounded.ts'
import { leastHash } from '../least-hash.ts'

export const engines = ['SQLite', 'PostgreSQL'] as const
export type Engine = (typeof engines)[number]

/** Names of all migrations, in their order. */
export const versions = Object.keys(migrations)

/** Who is in `old.backup`, and who is there now. */
export const [saved, everybody] = [
  ['alice', 'bob'],
  ['alice', 'bob', 'later'],
] as const

const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const key = decodeBase32(SECRET) ?? new Uint8Array()

/** Code of alice's token, which counts; that of 0 is used. */
export const codeOf = (counter: number): string => hotpCode(key, counter, { algorithm: 'sha1', digits: 6 })

/** A copy of the data that commands run on: a folder with a file of SQLite, and a database of PostgreSQL. */
export interface Copy {
  /** Its settings name the file. */
  readonly file: Place
  /** The same folder with settings that name the database. */
  readonly database: Place
  readonly url: string
  /** Resolves once no program uses the database: PostgreSQL takes a moment to see that one is gone. */
  untilUnused(): Promise<void>
  drop(): Promise<void>
}

/** What the database of PostgreSQL is a copy of: the one in use, an empty one, or that of so many migrations. */
export type Contents = 'in use' | 'empty' | number

export interface Template {
  /** Without contents the database is not there. */
  copy(database?: Contents): Promise<Copy>
  /** Puts the file of so many migrations into a copy, or none. */
  age(copy: Copy, known: number): void
  close(): Promise<void>
}

/** Makes them: people with a token, an old and a new key, backups, and databases of every version. */
export async function makeTemplate(folder: string): Promise<Template> {
  const original = placeIn(join(folder, 'original'))
  const ofVersions = join(folder, 'versions')
  mkdirSync(ofVersions)
  const fileOf = (known: number) => join(ofVersions, String(known))
  const postgres = await startPostgres()
  const admin = new Client({ connectionString: postgres.url('postgres') })
  await admin.connect()
  // It is the commands that are killed here; what they wrote is not lost with them.
  await admin.query('ALTER SYSTEM SET fsync = off')
  await admin.query('SELECT pg_reload_conf()')
  const duplicate = (of: string, name: string) => admin.query(`CREATE DATABASE "${name}" TEMPLATE "${of}"`)

  await populate(original)
  done(await original.runWords(['move', '--to', await postgres.createDatabase('in use')]))
  const url = await postgres.createDatabase('growing')
  const path = join(ofVersions, 'growing')
  for (let known = 1; known < versions.length; known++) {
    await grow({ kind: 'postgres', url }, known)
    await duplicate('growing', `version ${known}`)
    await grow({ kind: 'sqlite', path }, known)
    copyFileSync(path, fileOf(known))
  }
  await backUp(original, fileOf(1))

  let copies = 0
  const nameOf = (contents: Contents) =>
    contents === 'in use'
      ? contents
      : typeof contents === 'number' && contents > 0
        ? `version ${contents}`
        : 'template1'
  return {
    async copy(contents) {
      const name = `copy ${++copies}`
      const file = placeIn(join(folder, name))
      cpSync(original.folder, file.folder, { recursive: true })
      if (contents !== undefined) await duplicate(nameOf(contents), name)
      const url = postgres.url(name)
      const env = { ...file.env, WATCHWORD_DATABASE: url }
      return {
        ...{ file, url },
        database: { ...file, env, runWords: (words) => file.runWords(words, { env }) },
        async untilUnused() {
          const isUnused = async () =>
            (await admin.query('SELECT 1 FROM pg_stat_activity WHERE datname = $1', [name])).rowCount === 0
          if (!(await until(isUnused, 60_000))) throw new Error('A program that is gone uses the database.')
        },
        async drop() {
          await admin.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`)
          rmSync(file.folder, { recursive: true })
        },
      }
    },
    age({ file }, known) {
      rmSync(file.databaseFile)
      if (known > 0) copyFileSync(fileOf(known), file.databaseFile)
    },
    async close() {
      await admin.end()
      await postgres.stop()
    },
  }
}

async function populate({ run, folder, env }: Place): Promise<void> {
  const create = async (name: string) =>
    done(await run(`user create ${name} --password-stdin`, { stdin: goodPassword }))
  for (const name of saved) await create(name)
  await makeCheap({ cwd: folder, env })
  done(await run('user add-token alice --hotp --name token --key-stdin', { stdin: SECRET }))
  done(await run('keys rotate-signing --at-once --yes'))
  done(await run('backup old.backup'))
  await withServicesOn({ cwd: folder, env }, async (services) => {
    const kind = await tryCode(services, 'alice', goodPassword, codeOf(0))
    if (kind !== 'signed-in') throw new Error(`alice: ${kind}`)
    // The signing key is old enough for another.
    await services.db.updateTable('signing_key').set({ used_from: 1, created_at: 1 }).execute()
  })
  await create('later')
  // An older key, for there to be something to prune.
  done(await run('keys rotate'))
}

/** What is killed here is not the hash: those of the passwords become such as take no time to compare. */
async function makeCheap(at: { readonly cwd: string; readonly env: Place['env'] }): Promise<void> {
  const hash = await leastHash(goodPassword)
  await withServicesOn(at, ({ db }) => db.updateTable('password_hash').set({ hash }).execute())
}

/** Brings a database to a version; from the first one on it has a user. */
async function grow(target: DatabaseTarget, known: number): Promise<void> {
  const db = await openDatabase(target)
  await migrateTo(db, versions.slice(0, known))
  if (known === 1) {
    await db
      .withTables<{ user: Readonly<Record<string, string | number>> }>()
      .insertInto('user')
      .values({
        ...{ id: 'early', username: 'early', canonical_username: 'early', display_name: '' },
        ...{ is_superuser: 0, has_second_factor: 0, epoch: 1, created_at: 1 },
      })
      .execute()
  }
  await db.destroy()
}

/** A backup of the first version, which a restore has to bring up to date. */
async function backUp({ folder, env }: Place, path: string): Promise<void> {
  const snapshot = await openSnapshot({ kind: 'sqlite', path })
  const keyFingerprint = await withServicesOn({ cwd: folder, env }, async ({ sealer }) =>
    sealer.fingerprint(),
  )
  const header = { madeAt: 1_700_000_000, keyFingerprint, keys: undefined }
  await writeBackup(join(folder, 'early.backup'), snapshot, header, () => {})
  await snapshot.close()
}
