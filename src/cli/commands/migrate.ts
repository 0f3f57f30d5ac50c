import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import type { Config } from '../../config/load.ts'
import { type MigrationStatus, migrate, migrationStatus, NewerDatabaseError } from '../../store/migrate.ts'
import { migrations } from '../../store/migrations/index.ts'
import { openDatabase } from '../../store/open.ts'
import type { ExitCode } from '../exit-code.ts'
import { examples, type Handler } from '../invocation.ts'
import { readConfig } from '../open-services.ts'
import { done, printJson, printTable } from '../terminal.ts'

/** `watchword migrate` */
export function declareMigrate(command: Command): Handler {
  command
    .option('--status', 'only say what is applied; change nothing')
    .option('--json', 'with --status, for a program: {"applied": […], "pending": […], "unknown": […]}')
  command.addHelpText('after', '\nserve and every other command do this by themselves.')
  examples(command, 'watchword migrate --status', 'watchword migrate')
  return async ({ configFile }) => {
    const options = command.opts<{ status?: true; json?: true }>()
    const config = await readConfig(configFile)
    if (!options.status) return bringUpToDate(config)
    return show(await statusOf(config), options.json ?? false)
  }
}

async function bringUpToDate({ database }: Config): Promise<ExitCode> {
  const db = await openDatabase(database)
  try {
    const { pending } = await migrationStatus(db)
    await migrate(db)
    return done(pending.length === 0 ? 'The database is up to date.' : `Applied: ${pending.join(', ')}.`)
  } finally {
    await db.destroy()
  }
}

async function statusOf({ database }: Config): Promise<MigrationStatus> {
  // To open a file that is not there would make it.
  if (database.kind === 'sqlite' && !existsSync(database.path)) {
    return { applied: [], pending: Object.keys(migrations), unknown: [] }
  }
  const db = await openDatabase(database)
  try {
    return await migrationStatus(db)
  } finally {
    await db.destroy()
  }
}

function show(status: MigrationStatus, json: boolean): ExitCode {
  const { applied, pending, unknown } = status
  if (json) printJson(status)
  else {
    const known = applied.filter((name) => !unknown.includes(name))
    printTable(
      ['MIGRATION', 'STATE'],
      [
        ...known.map((name) => [name, 'applied']),
        ...pending.map((name) => [name, 'pending']),
        ...unknown.map((name) => [name, 'of a newer Watchword']),
      ],
    )
  }
  if (unknown.length === 0) return done()
  throw new NewerDatabaseError(
    'The database is newer than this program. Start the newer Watchword, or restore a backup.',
  )
}
