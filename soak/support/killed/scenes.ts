import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { checkKeys } from '../../../src/actions/check-keys.ts'
import type { Services } from '../../../src/services.ts'
import { readBackup } from '../../../src/store/backup/file.ts'
import { migrationStatus } from '../../../src/store/migrate.ts'
import { openDatabase } from '../../../src/store/open.ts'
import { goodPassword, type Place } from '../../../test/cli/watchword.ts'
import { tryCode, withServicesOn } from '../../../test/support/sign-in-check.ts'
import { leastHasher } from '../least-hash.ts'
import { postgresRecords, type Records, sqliteRecords } from '../town/records.ts'
import {
  type Contents,
  type Copy,
  codeOf,
  type Engine,
  everybody,
  saved,
  type Template,
  versions,
} from './template.ts'

/** A command on data of its own, and what is right after it was killed, and after it was run once more. */
export interface Scene {
  readonly name: string
  readonly engine: Engine
  copy(): Promise<Copy>
  /** The settings that the command is given. */
  place(copy: Copy): Place
  words(copy: Copy): readonly string[]
  /** What a second run may refuse, since the first had done it all. */
  readonly refusal?: RegExp
  /** A sentence for each thing that is wrong. */
  faults(copy: Copy, isFinished: boolean): Promise<string[]>
}

/** A database that a command reads or writes. */
interface Store {
  readonly place: Place
  /** Who may be there: after a kill any of these, once it is finished the last. */
  readonly users: readonly (readonly string[])[]
  /** Whether it is known which codes of a token were used, so that the next one opens. */
  readonly keepsToken?: boolean
}

type Command = Pick<Scene, 'name' | 'engine' | 'words' | 'refusal'> & {
  readonly contents?: Contents
  readonly prepare?: (copy: Copy) => void
  readonly place?: Scene['place']
  readonly stores: (copy: Copy) => readonly Store[]
  readonly backup?: string
}

const file = (copy: Copy): Place => copy.file
const database = (copy: Copy): Place => copy.database
const moved = ({ file: place }: Copy): Place => ({
  ...{ ...place, databaseFile: join(place.folder, 'moved.sqlite3') },
  env: { ...place.env, WATCHWORD_DATABASE: 'sqlite:moved.sqlite3' },
})
const whole = (place: Place): Store => ({ place, users: [everybody], keepsToken: true })
const nothingOr = (place: Place, users: readonly string[], keepsToken = false): Store => ({
  ...{ place, users: [[], users], keepsToken },
})

const inPlace = ([engine, place, contents]: readonly [Engine, Scene['place'], 'in use' | undefined]) => {
  const here = { engine, place, ...(contents && { contents }), stores: (copy: Copy) => [whole(place(copy))] }
  return [
    { ...here, name: 'keys rotate', words: () => ['keys', 'rotate'] },
    { ...here, name: 'keys prune', words: () => ['keys', 'prune', '--yes'] },
    {
      ...{ ...here, name: 'keys rotate-signing', words: () => ['keys', 'rotate-signing'] },
      refusal: /is published already/,
    },
    {
      ...{ ...here, name: 'backup', words: () => ['backup', 'new.backup'], backup: 'new.backup' },
      refusal: /is there already/,
    },
  ] satisfies Command[]
}

const commands: readonly Command[] = [
  ...inPlace(['SQLite', file, undefined]),
  {
    ...{ name: 'restore', engine: 'SQLite', words: () => ['restore', 'old.backup', '--yes'] },
    stores: (copy) => [{ place: copy.file, users: [everybody, saved], keepsToken: true }],
  },
  {
    ...{ name: 'restore into nothing', engine: 'SQLite', words: () => ['restore', 'old.backup', '--yes'] },
    prepare: (copy) => rmSync(copy.file.databaseFile),
    stores: (copy) => [nothingOr(copy.file, saved)],
  },
  {
    ...{ name: 'move to another file', engine: 'SQLite', refusal: /has users/ },
    words: () => ['move', '--to', 'sqlite:moved.sqlite3'],
    stores: (copy) => [whole(copy.file), nothingOr(moved(copy), everybody, true)],
  },
  {
    ...{ name: 'move from PostgreSQL', engine: 'SQLite', refusal: /has users/, contents: 'in use' },
    ...{ place: database, words: () => ['move', '--to', 'sqlite:moved.sqlite3'] },
    stores: (copy) => [whole(copy.database), nothingOr(moved(copy), everybody, true)],
  },
  ...inPlace(['PostgreSQL', database, 'in use']),
  {
    ...{ name: 'restore', engine: 'PostgreSQL', contents: 'empty', place: database, refusal: /has users/ },
    words: () => ['restore', 'old.backup', '--yes'],
    stores: (copy) => [nothingOr(copy.database, saved)],
  },
  {
    ...{
      name: 'restore of the first version',
      engine: 'PostgreSQL',
      contents: 'empty',
      place: database,
      refusal: /has users/,
    },
    words: () => ['restore', 'early.backup', '--yes'],
    stores: (copy) => [nothingOr(copy.database, ['early'])],
  },
  {
    ...{ name: 'move from SQLite', engine: 'PostgreSQL', contents: 'empty', refusal: /has users/ },
    words: ({ url }) => ['move', '--to', url],
    stores: (copy) => [whole(copy.file), nothingOr(copy.database, everybody, true)],
  },
]

/** Every command that changes much at once, and every way to the latest version. */
export const scenesOf = (template: Template): readonly Scene[] => [
  ...commands.map((command) => sceneOf(command, template)),
  ...versions.flatMap((_, known) => [
    migration('SQLite', known, template),
    migration('PostgreSQL', known, template),
  ]),
]

function sceneOf(
  { contents, prepare, place = file, stores, backup, ...command }: Command,
  template: Template,
): Scene {
  return {
    ...{ ...command, place },
    async copy() {
      const copy = await template.copy(contents)
      prepare?.(copy)
      return copy
    },
    async faults(copy, isFinished) {
      const found: string[] = []
      for (const store of stores(copy)) found.push(...(await faultsOf(store, isFinished)))
      const { folder } = copy.file
      if (isFinished) found.push(...leftovers(folder).map((name) => `${name} was left behind.`))
      // Under its name a backup is whole, or it is not there.
      if (backup !== undefined && (isFinished || existsSync(join(folder, backup)))) {
        const { rows } = await readBackup(join(folder, backup), () => {})
        if (rows.get('user') !== everybody.length) found.push(`The backup has ${rows.get('user')} users.`)
      }
      return found
    },
  }
}

/** All migrations or none of them. */
function migration(engine: Engine, known: number, template: Template): Scene {
  const isFile = engine === 'SQLite'
  const place = isFile ? file : database
  return {
    ...{ name: `migrate from version ${known}`, engine, place },
    async copy() {
      const copy = await template.copy(isFile ? undefined : known)
      template.age(copy, isFile ? known : 0)
      rmSync(copy.file.keyFile)
      return copy
    },
    words: () => ['migrate'],
    async faults(copy, isFinished) {
      const target = isFile
        ? ({ kind: 'sqlite', path: copy.file.databaseFile } as const)
        : ({ kind: 'postgres', url: copy.url } as const)
      const db = await openDatabase(target)
      const { applied } = await migrationStatus(db)
      await db.destroy()
      const right = isFinished ? [versions.length] : [known, versions.length]
      const found = right.includes(applied.length) ? [] : [`It has ${applied.length} migrations.`]
      const users = known === 0 ? [] : ['early']
      const records = recordsOf(place(copy))
      const there = records === undefined ? [] : await usersIn(records)
      if (there.join() !== users.join()) found.push(`The users are ${there.join(' ')}.`)
      await records?.close()
      if (isFinished) {
        const { folder: cwd, env } = place(copy)
        found.push(...(await withServicesOn({ cwd, env }, sealedFaults)))
      }
      return found
    },
  }
}

/** The database is whole, every secret opens, people sign in, and what was spent is. */
async function faultsOf({ place, users, keepsToken }: Store, isFinished: boolean): Promise<string[]> {
  const found: string[] = []
  const records = recordsOf(place)
  const there = records === undefined ? [] : await usersIn(records)
  const right = isFinished ? users.slice(-1) : users
  if (!right.some((names) => names.join() === there.join())) found.push(`The users are ${there.join(' ')}.`)
  if (records !== undefined && isFinished) found.push(...(await records.faults()))
  await records?.close()
  if (there.length === 0) return found
  await withServicesOn({ cwd: place.folder, env: place.env }, async (real, clock) => {
    const services = { ...real, hasher: leastHasher }
    found.push(...(await sealedFaults(services)))
    if (!there.includes('alice')) return
    clock.now += isFinished ? 7200 : 3600
    const spent = await tryCode(services, 'alice', goodPassword, codeOf(0))
    if (spent === 'signed-in') found.push('A code that was used is accepted.')
    const next = keepsToken && (await tryCode(services, 'alice', goodPassword, codeOf(isFinished ? 2 : 1)))
    if (keepsToken && next !== 'signed-in') found.push(`The next code of alice is answered ${next}.`)
    const password = await tryCode(services, 'bob', goodPassword, '000000')
    if (password !== 'enrolment-required') found.push(`The password of bob is answered ${password}.`)
  })
  return found
}

async function sealedFaults(services: Services): Promise<string[]> {
  const { unopenable, unopenableSigningKeys } = await checkKeys(services)
  return unopenable.length + unopenableSigningKeys.length > 0 ? ['Not every secret opens.'] : []
}

/** `undefined` where there is no file. */
function recordsOf({ env, databaseFile }: Place): Records | undefined {
  const url = env.WATCHWORD_DATABASE
  if (url?.startsWith('postgres:')) return postgresRecords(url)
  return existsSync(databaseFile) ? sqliteRecords(databaseFile) : undefined
}

/** Nobody where there are no tables. */
async function usersIn(records: Records): Promise<string[]> {
  try {
    const rows = await records.query('SELECT username FROM "user" ORDER BY username')
    return rows.map(({ username }) => String(username))
  } catch (error) {
    if (error instanceof Error && /no such table|does not exist/.test(error.message)) return []
    throw error
  }
}

/** Files that were in the making. */
const leftovers = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(?:new|part|restoring|rehearsal)(?:-\w+)?$|-journal$/.test(name),
  )
