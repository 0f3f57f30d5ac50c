import type { Command } from 'commander'
import { readDjango } from '../../../sources/django.ts'
import { UsageError } from '../../exit-code.ts'
import { addImportOptions, runImportCommand } from '../../import-command.ts'
import { examples, type Handler } from '../../invocation.ts'

interface Options {
  readonly database: string
  readonly userTable: string
  readonly seedProfile?: string | true
  readonly base32Keys?: true
}

/** `watchword import django` */
export function declareImportDjango(command: Command): Handler {
  command
    .requiredOption('--database <address>', 'sqlite:FILE, or postgres://USER@HOST/NAME')
    .option('--user-table <table>', 'the table of users, where the site has its own', 'auth_user')
    .option(
      '--seed-profile [table]',
      'take base32 secrets from a profile (auth_app_userprofile if not named) with shared_secret',
    )
    .option('--base32-keys', 'read keys of devices that are not hexadecimal as base32')
  addImportOptions(command)
  examples(
    command,
    'watchword import django --database sqlite:db.sqlite3 --dry-run',
    'PGPASSFILE=pgpass watchword import django --database postgres://reader@db.example.com/site',
  )
  return ({ configFile }) => {
    const { database, userTable, seedProfile, base32Keys = false } = command.opts<Options>()
    if (/^[a-z]+:\/\/[^/@]*:[^/@]*@/i.test(database) || /[?&]password=/i.test(database)) {
      throw new UsageError(
        'Every process of the machine can read what is on a command line. Leave the password out of the address, and put it into the file that PGPASSFILE names, or ~/.pgpass.',
      )
    }
    const profileTable = seedProfile === true ? 'auth_app_userprofile' : seedProfile
    const records = readDjango({ database, userTable, profileTable, base32Keys })
    return runImportCommand(command, configFile, 'django', records)
  }
}
