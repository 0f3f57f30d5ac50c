import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { type Kysely, sql } from 'kysely'
import { StorageFault } from '../../src/domain/faults.ts'
import type { Db } from '../../src/store/database.ts'
import { migrate, migrationStatus } from '../../src/store/migrate.ts'
import { openDatabase } from '../../src/store/open.ts'
import { syncLater } from '../../src/store/sync-later.ts'
import { isInTime } from '../support/pace.ts'

interface Notes {
  note: { id: number; text: string }
}

type NotesDb = Kysely<Notes>

const folder = mkdtempSync(join(tmpdir(), 'watchword-sqlite-'))
after(() => rmSync(folder, { recursive: true }))

let files = 0

/** A database of the program's own driver with one table, and another handle of the same file. */
async function openNotes(): Promise<{
  path: string
  db: NotesDb
  other: DatabaseSync
  close(): Promise<void>
}> {
  const path = join(folder, `${++files}.sqlite`)
  const db = (await openDatabase({ kind: 'sqlite', path })) as unknown as NotesDb
  await sql`create table note (id integer primary key, text text not null unique)`.execute(db)
  const other = new DatabaseSync(path)
  const close = async () => {
    other.close()
    await db.destroy()
  }
  return { path, db, other, close }
}

const insert = (db: NotesDb, text: string) =>
  db
    .insertInto('note')
    .values({ text } as Notes['note'])
    .execute()

const inserting = (db: NotesDb, ...texts: readonly string[]) =>
  db.transaction().execute(async (tx) => {
    for (const text of texts) await insert(tx, text)
  })

const textsSeenBy = (handle: DatabaseSync): string[] =>
  handle
    .prepare('select text from note order by text')
    .all()
    .map(({ text }) => String(text))

const textsIn = async (db: NotesDb): Promise<string[]> =>
  (await db.selectFrom('note').select('text').orderBy('text').execute()).map(({ text }) => text)

describe('the SQLite driver', () => {
  let notes: Awaited<ReturnType<typeof openNotes>>
  before(async () => {
    notes = await openNotes()
  })
  after(() => notes.close())

  it('commits to a log that is synced before the answer (SEC-DB-1)', async () => {
    const { db, other } = notes
    const pragma = async (name: string) =>
      Object.values((await sql.raw(`pragma ${name}`).execute(db)).rows[0] ?? {})
    assert.deepEqual(await pragma('journal_mode'), ['wal'])
    // 2 is FULL. It and the others hold for the connection that writes, which raw statements use.
    assert.deepEqual(await pragma('synchronous'), [2])
    assert.deepEqual(await pragma('foreign_keys'), [1])
    assert.deepEqual(await pragma('trusted_schema'), [0])
    assert.deepEqual(Object.values(other.prepare('pragma journal_mode').get() ?? {}), ['wal'])
  })

  it('acknowledges nothing before it is in the file (SEC-DB-1)', async () => {
    const { db, other } = await openNotes()
    const missing: string[] = []
    const writers = Array.from({ length: 200 }, async (_, index) => {
      const text = `note ${index}`
      await (index % 2 === 0 ? insert(db, text) : inserting(db, text))
      if (!textsSeenBy(other).includes(text)) missing.push(text)
    })
    await Promise.all(writers)
    assert.deepEqual(missing, [])
    assert.equal(textsSeenBy(other).length, 200)
    other.close()
    await db.destroy()
  })

  it('keeps apart who waits for the disk and who does not, and stores both before it says so (SEC-DB-1)', async () => {
    const { db, other, close } = await openNotes()
    const missing: string[] = []
    const storing = async (text: string, work: Promise<unknown>) => {
      await work
      if (!textsSeenBy(other).includes(text)) missing.push(text)
    }
    const later = (text: string) =>
      syncLater(db as unknown as Db, (tx) => insert(tx as unknown as NotesDb, text))
    const results = await Promise.allSettled([
      ...Array.from({ length: 50 }, (_, index) => [
        storing(`now ${index}`, inserting(db, `now ${index}`)),
        storing(`later ${index}`, later(`later ${index}`)),
        later('now 0'),
      ]).flat(),
    ])
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 100)
    assert.deepEqual(missing, [])
    assert.equal(textsSeenBy(other).length, 100)
    await close()
  })

  it('writes what comes together by one commit', async () => {
    const { db, path, close } = await openNotes()
    const reader = new DatabaseSync(path, { readOnly: true })
    const version = () => Number(Object.values(reader.prepare('pragma data_version').get() ?? {})[0])
    const seen = new Set<number>()
    const before = version()
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        await inserting(db, `note ${index}`)
        seen.add(version())
      }),
    )
    // The handle of a reader counts the commits of others that it looked at: here there was one for all.
    assert.deepEqual([...seen], [before + 1])
    reader.close()
    await close()
  })

  it('undoes a member that fails, and no other one of its group', async () => {
    const { db, other, close } = await openNotes()
    const results = await Promise.allSettled([
      inserting(db, 'a', 'b'),
      inserting(db, 'c', 'a'),
      insert(db, 'd'),
      insert(db, 'd'),
      db.transaction().execute(async (tx) => {
        await insert(tx, 'e')
        throw new Error('changed my mind')
      }),
      inserting(db, 'f'),
    ])
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'rejected', 'fulfilled'],
    )
    assert.deepEqual(textsSeenBy(other), ['a', 'b', 'd', 'f'])
    await close()
  })

  it('stores a group though its last member fails', async () => {
    const { db, other, close } = await openNotes()
    const kept = inserting(db, 'kept')
    const failing = db.transaction().execute(async () => {
      throw new Error('no')
    })
    await assert.rejects(failing, { message: 'no' })
    await kept
    assert.deepEqual(textsSeenBy(other), ['kept'])
    await close()
  })

  it('shows outside of a transaction only what is committed', async () => {
    const { db, close } = await openNotes()
    await db.transaction().execute(async (tx) => {
      await insert(tx, 'mine')
      assert.deepEqual(await textsIn(tx as unknown as NotesDb), ['mine'])
      assert.deepEqual(await textsIn(db), [])
    })
    assert.deepEqual(await textsIn(db), ['mine'])
    await close()
  })

  it('ends a transaction that waits for itself, and goes on with those that came before and after', async () => {
    const { db, other, close } = await openNotes()
    const first = inserting(db, 'first')
    const stuck = db.transaction().execute(async (tx) => {
      await insert(tx, 'in the transaction')
      await insert(db, 'on the pool')
    })
    const started = performance.now()
    await assert.rejects(
      stuck,
      (error: Error) => error instanceof StorageFault && /turn to write/.test(error.message),
    )
    assert.ok(await isInTime(performance.now() - started, 15_000))
    await first
    await inserting(db, 'last')
    assert.deepEqual(textsSeenBy(other), ['first', 'last'])
    await close()
  })

  it('is closed in order while others write', async () => {
    const { db, other } = await openNotes()
    const writing = inserting(db, 'written')
    await new Promise(setImmediate)
    await Promise.all([writing, db.destroy()])
    assert.deepEqual(textsSeenBy(other), ['written'])
    other.close()
  })

  it('answers right beyond the number of statements that it keeps prepared', async () => {
    const { db, close } = await openNotes()
    await insert(db, 'a')
    const list = async (count: number) => {
      const ids = Array.from({ length: count }, (_, index) => index + 1)
      return (await db.selectFrom('note').select('text').where('id', 'in', ids).execute()).length
    }
    // Each length is another text: more of them than are kept.
    for (let count = 1; count <= 1000; count++) assert.equal(await list(count), 1)
    assert.equal(await list(1), 1)
    await close()
  })

  it('sees a table as it is after another program changed it', async () => {
    const { db, other, close } = await openNotes()
    await insert(db, 'a')
    const all = () => db.selectFrom('note').selectAll().execute()
    assert.deepEqual(Object.keys((await all())[0] ?? {}), ['id', 'text'])
    other.exec('alter table note add column more integer')
    assert.deepEqual(Object.keys((await all())[0] ?? {}), ['id', 'text', 'more'])
    await close()
  })
})

describe('the SQLite driver beside another process', () => {
  it('waits for its turn without holding up anything else, and then writes (FT-DB-2)', async () => {
    const { path, db, other, close } = await openNotes()
    const locker = await lockElsewhere(path)
    const writing = inserting(db, 'after all')
    let rounds = 0
    while (rounds < 200) {
      await new Promise(setImmediate)
      assert.deepEqual(await textsIn(db), [])
      rounds++
    }
    locker.stdin?.end()
    await writing
    assert.deepEqual(textsSeenBy(other), ['after all'])
    await close()
  })

  it('gives up after its patience with a StorageFault, and works again afterwards (I7)', async () => {
    const { path, db, other, close } = await openNotes()
    const locker = await lockElsewhere(path)
    const results = await Promise.allSettled([inserting(db, 'a'), inserting(db, 'b'), insert(db, 'c')])
    for (const result of results) {
      assert.equal(result.status, 'rejected')
      assert.ok(result.reason instanceof StorageFault)
    }
    locker.stdin?.end()
    await once(locker, 'exit')
    await inserting(db, 'd')
    assert.deepEqual(textsSeenBy(other), ['d'])
    await close()
  })

  it('opens a new file together with others', async () => {
    const path = join(folder, 'together.sqlite')
    const opening = Array.from({ length: 4 }, () => runElsewhere(path, openAndWrite))
    const codes = await Promise.all(
      opening.map(async (child) => {
        const [code] = await once(child, 'exit')
        return code
      }),
    )
    assert.deepEqual(codes, [0, 0, 0, 0])
    const handle = new DatabaseSync(path)
    assert.equal(textsSeenBy(handle).length, 4)
    handle.close()
  })

  it('says how its migrations stand while another program writes, for readiness takes no turn', async () => {
    const { db, other, close } = await openNotes()
    await migrate(db as unknown as Db)
    other.exec('begin immediate')
    const started = performance.now()
    assert.deepEqual((await migrationStatus(db as unknown as Db)).pending, [])
    assert.ok(await isInTime(performance.now() - started, 1000))
    other.exec('rollback')
    await close()
  })
})

describe('the SQLite driver when there is no space (FT-DISK-1, SEC-DB-1)', () => {
  it('rejects every member of the group, stores none of them, and works again when there is space', async () => {
    const { db, other, close } = await openNotes()
    await inserting(db, 'before')
    await limitPages(db, 'now')
    const long = (letter: string) => letter.repeat(100_000)
    const results = await Promise.allSettled([
      inserting(db, 'small'),
      inserting(db, 'also small', long('x')),
      inserting(db, long('y')),
      inserting(db, long('z')),
    ])
    const fulfilled = results.map(({ status }) => status === 'fulfilled')
    assert.equal(fulfilled.at(1) || fulfilled.at(2) || fulfilled.at(3), false)
    // Whoever was told that it is stored finds it stored, and nobody else does.
    assert.deepEqual(textsSeenBy(other), fulfilled[0] ? ['before', 'small'] : ['before'])
    for (const result of results) {
      if (result.status === 'rejected') assert.ok(result.reason instanceof StorageFault)
    }
    await limitPages(db, 'none')
    await inserting(db, long('x'))
    assert.equal(textsSeenBy(other).includes(long('x')), true)
    await close()
  })

  it('does not go on in a transaction that was undone under it', async () => {
    const { db, other, close } = await openNotes()
    await limitPages(db, 'now')
    const stubborn = db.transaction().execute(async (tx) => {
      await insert(tx, 'first')
      await insert(tx, 'x'.repeat(100_000)).catch(() => undefined)
      await insert(tx, 'second')
    })
    const result = await Promise.allSettled([stubborn])
    const stored = textsSeenBy(other)
    assert.deepEqual(stored, result[0]?.status === 'fulfilled' ? ['first', 'second'] : [])
    await limitPages(db, 'none')
    await inserting(db, 'later')
    assert.equal(textsSeenBy(other).includes('later'), true)
    await close()
  })
})

/** Lets the file grow no further, or as it likes. */
async function limitPages(db: NotesDb, limit: 'now' | 'none'): Promise<void> {
  // Of the connection that writes; SQLite answers with SQLITE_FULL beyond it, as when the disk is full.
  await sql.raw(`pragma max_page_count = ${limit === 'now' ? 1 : 4_294_967_294}`).execute(db)
}

const lock = `
  const handle = new DatabaseSync(process.argv[2])
  handle.exec('begin immediate')
  process.stdout.write('locked')
  process.stdin.resume()
  process.stdin.on('end', () => { handle.exec('rollback'); handle.close() })
`

const openAndWrite = `
  const { openDatabase } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/store/open.ts'))})
  const { sql } = await import(${JSON.stringify(import.meta.resolve('kysely'))})
  const db = await openDatabase({ kind: 'sqlite', path: process.argv[2] })
  await sql\`create table if not exists note (id integer primary key, text text not null unique)\`.execute(db)
  await sql\`insert into note (text) values (\${String(process.pid)})\`.execute(db)
  await db.destroy()
`

/** Runs a program with the path of the database. */
function runElsewhere(path: string, program: string): ChildProcess {
  const file = join(folder, `${++files}.mjs`)
  writeFileSync(file, `import { DatabaseSync } from 'node:sqlite'\n${program}`)
  const child = spawn(process.execPath, [file, path], { stdio: ['pipe', 'pipe', 'inherit'] })
  return child
}

async function lockElsewhere(path: string): Promise<ChildProcess> {
  const child = runElsewhere(path, lock)
  if (child.stdout) await once(child.stdout, 'data')
  return child
}
