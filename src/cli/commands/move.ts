import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { noteCopy } from '../../actions/note-copy.ts'
import { compose } from '../../compose.ts'
import { type DatabaseAddress, parseDatabase, printDatabase } from '../../config/values.ts'
import { readKeyFile } from '../../crypto/key-file.ts'
import { createSealer } from '../../crypto/sealer.ts'
import { holdAlone } from '../../store/backup/alone.ts'
import { sumsOf, type TableSum, tableSummer } from '../../store/backup/checksum.ts'
import { emptyForLoading, loadRows } from '../../store/backup/load.ts'
import { openSnapshot, type Snapshot } from '../../store/backup/snapshot.ts'
import { migrate } from '../../store/migrate.ts'
import { migrations } from '../../store/migrations/index.ts'
import { openDatabase } from '../../store/open.ts'
import { Refusal, UsageError } from '../exit-code.ts'
import { examples, type Handler } from '../invocation.ts'
import { operator, readConfig } from '../open-services.ts'
import { rowProgress } from '../progress.ts'
import { done, printJson } from '../terminal.ts'

interface Options {
  readonly to?: string
  readonly toFile?: string
  readonly json?: true
}

/** `watchword move --to DATABASE` */
export function declareMove(command: Command): Handler {
  command
    .option('--to <database>', 'an empty one: "sqlite:path" or "postgres://user@host/name"')
    .option('--to-file <file>', 'a file that holds it, for a URL with a password')
    .option('--json', 'for a program: {"to", "tables": {name: {"rows", "sha256"}}}')
  command.addHelpText(
    'after',
    `
Stop the server first. Everything is copied in one transaction, sessions too, and every table is compared afterwards by
count and checksum. What is stopped half-way has written nothing: run it again. The old database stays as it is.`,
  )
  examples(
    command,
    'watchword move --to postgres://watchword@db.example.com/watchword',
    'watchword move --to sqlite:/var/lib/watchword/watchword.sqlite3',
  )
  return async ({ configFile }) => {
    const options = command.opts<Options>()
    const to = targetOf(options)
    const config = await readConfig(configFile)
    if (printDatabase(to) === printDatabase(config.database)) {
      throw new UsageError('The settings name that database already; there is nothing to move.')
    }
    const held = await holdAlone(config.database)
    try {
      const source = await openSnapshot(config.database)
      try {
        await checkKeyFile(config.keyFile, source)
        const tables = await copy(source, to)
        await compare(tables, to)
        const { services, close } = await compose({ ...config, database: to })
        try {
          await noteCopy(services, { event: 'database-moved' }, operator())
        } finally {
          await close()
        }
        return report(tables, to, options)
      } finally {
        await source.close()
      }
    } finally {
      await held.release()
    }
  }
}

function targetOf({ to, toFile }: Options): DatabaseAddress {
  if ((to === undefined) === (toFile === undefined)) {
    throw new UsageError('Say where to: --to DATABASE, or --to-file FILE for a URL with a password.')
  }
  const text = to ?? readFileSync(resolve(toFile ?? ''), 'utf8').trim()
  const address = parseDatabase(text, (why) => {
    throw new UsageError(`What --to${to === undefined ? '-file' : ''} names ${why}.`)
  })
  if (to !== undefined && address.kind === 'postgres' && new URL(address.url).password !== '') {
    throw new UsageError(
      'Every process of the machine can read what is on a command line. Put the URL into a file: --to-file FILE.',
    )
  }
  return address.kind === 'sqlite' ? { kind: 'sqlite', path: resolve(address.path) } : address
}

/** Refuses before anything is written: without its keys nobody could sign in at the copy. */
async function checkKeyFile(path: string, { tables }: Snapshot): Promise<void> {
  const keys = readKeyFile(path)
  if (keys === undefined) throw new Refusal(`${path} is missing. Put the key file of this database there.`)
  const installation = tables.find(({ name }) => name === 'installation')
  const column = installation?.columns.indexOf('key_fingerprint') ?? -1
  for await (const rows of installation?.rows() ?? []) {
    if (rows.some((row) => row[column] !== createSealer(keys).fingerprint()))
      throw new Refusal(`${path} does not belong to this database. Put its own key file there.`)
  }
}

/**
 * All rows into empty tables, wholly or not at all.
 *
 * Where a move that was stopped had written them all, nothing is written again.
 */
async function copy(source: Snapshot, to: DatabaseAddress): Promise<ReadonlyMap<string, TableSum>> {
  const known = Object.keys(migrations)
  if (known.join() !== source.migrations.join()) {
    throw new Refusal('The database is not of this version. Run first: watchword migrate')
  }
  const progress = rowProgress('Moved')
  const db = await openDatabase(to)
  try {
    await migrate(db)
    const sums = new Map<string, TableSum>()
    let moved = 0
    await db.transaction().execute(async (tx) => {
      if (!(await emptyForLoading(tx))) {
        for (const [name, sum] of await sumsOf(source)) sums.set(name, sum)
        if ((await differing(sums, to)).length === 0) return
        throw new Refusal(`${printDatabase(to)} has users. Name an empty database.`)
      }
      for (const table of source.tables) {
        const summer = tableSummer(table.columns)
        for await (const rows of table.rows()) {
          await loadRows(tx, table, rows)
          summer.add(rows)
          moved += rows.length
          progress.show(moved)
        }
        sums.set(table.name, summer.sum())
      }
    })
    return sums
  } finally {
    progress.end()
    await db.destroy()
  }
}

async function compare(expected: ReadonlyMap<string, TableSum>, to: DatabaseAddress): Promise<void> {
  const different = await differing(expected, to)
  if (different.length === 0) return
  throw new Refusal(
    `The copy differs from the original in ${different.join(', ')}. Do not use it; the original is as it was.`,
  )
}

/** The tables that are not there as they are expected. */
async function differing(expected: ReadonlyMap<string, TableSum>, to: DatabaseAddress): Promise<string[]> {
  const snapshot = await openSnapshot(to)
  try {
    const there = await sumsOf(snapshot)
    return [...expected]
      .filter(([name, { rows, sha256 }]) => {
        const found = there.get(name)
        return found?.rows !== rows || found.sha256 !== sha256
      })
      .map(([name]) => name)
  } finally {
    await snapshot.close()
  }
}

function report(tables: ReadonlyMap<string, TableSum>, to: DatabaseAddress, { json }: Options) {
  if (json) {
    printJson({ to: printDatabase(to), tables: Object.fromEntries(tables) })
    return done()
  }
  const rows = [...tables.values()].reduce((sum, table) => sum + table.rows, 0)
  return done(
    `Moved ${tables.get('user')?.rows ?? 0} users, ${rows} rows in all; every table was compared.`,
    `Now set  database = "${printDatabase(to)}"  in watchword.toml, and start the server. The old database is as it was.`,
  )
}
