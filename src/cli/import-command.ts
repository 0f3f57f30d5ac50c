import type { Command } from 'commander'
import { type ImportLine, type ImportSummary, importUsers } from '../actions/import-users.ts'
import type { SourceRecord } from '../domain/import-record.ts'
import type { UnixSeconds } from '../domain/time.ts'
import { collected } from './arguments.ts'
import { type ExitCode, UsageError } from './exit-code.ts'
import { operator, withServices } from './open-services.ts'
import { done, print, printAside, printJsonLines } from './terminal.ts'

interface Options {
  readonly dryRun?: true
  readonly json?: true
  readonly update?: true
  readonly superusers?: true
  readonly shortKeys?: true
  readonly enrolAnew?: true
  readonly as?: string
  readonly renameGroup?: readonly string[]
}

/** Adds the options that every source has. */
export function addImportOptions(command: Command): void {
  command
    .option('--dry-run', 'print what would be made, changed and left out, and change nothing')
    .option('--json', 'for a program: one line of JSON a person, then {"summary": …}')
    .option('--update', 'bring users that were imported before up to what the source says now')
    .option('--superusers', 'let superusers of the source be superusers here')
    .option('--short-keys', 'take keys of 80 to 127 bits, which older authenticators have')
    .option('--enrol-anew', 'let people whose authenticator is left out set one up with the password alone')
    .option('--rename-group <old=new>', 'another name for a group; may be given several times', collected)
    .option('--as <name>', 'tells two sources of one kind apart, as in --as shop')
}

/** Runs an import and prints what became of whom; a source that needs the time is given it. */
export async function runImportCommand(
  command: Command,
  configFile: string | undefined,
  kind: string,
  source: AsyncIterable<SourceRecord> | ((now: UnixSeconds) => AsyncIterable<SourceRecord>),
): Promise<ExitCode> {
  const options = command.opts<Options>()
  const name = sourceName(kind, options.as)
  const groupNames = renamings(options.renameGroup ?? [])
  return withServices(configFile, async (services) => {
    const show = options.json ? jsonLines() : tableLines(options.dryRun === true)
    const summary = await importUsers(
      services,
      {
        source: name,
        records: typeof source === 'function' ? source(services.now()) : source,
        rules: {
          superusers: options.superusers ?? false,
          shortKeys: options.shortKeys ?? false,
          enrolAnew: options.enrolAnew ?? false,
          groupNames,
        },
        update: options.update ?? false,
        dryRun: options.dryRun ?? false,
      },
      operator(),
      counted(show.line),
    )
    await show.end(summary)
    return done()
  })
}

function sourceName(kind: string, as: string | undefined): string {
  if (as === undefined) return kind
  if (/^[a-z0-9][a-z0-9._-]{0,39}$/.test(as)) return `${kind}:${as}`
  throw new UsageError(`--as is "${as}". Write 1 to 40 lower-case letters, digits and . _ -`)
}

function renamings(texts: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    texts.map((text) => {
      const equals = text.lastIndexOf('=')
      if (equals < 1) throw new UsageError(`--rename-group is "${text}". Write OLD=NEW.`)
      return [text.slice(0, equals), text.slice(equals + 1)] as const
    }),
  )
}

/** Counts for whoever watches; where nobody does, it would only be in the way of the output. */
function counted(tell: (line: ImportLine) => Promise<void>): (line: ImportLine) => Promise<void> {
  let count = 0
  return async (line) => {
    count++
    // Whatever is printed next takes its place.
    if (process.stderr.isTTY && count % 1000 === 0) process.stderr.write(`\r${count} read\r`)
    await tell(line)
  }
}

interface Lines {
  line(line: ImportLine): Promise<void>
  end(summary: ImportSummary): Promise<void>
}

function jsonLines(): Lines {
  return {
    line: ({ sourceId, ...line }) => printJsonLines([{ source_id: sourceId, ...line }]),
    end: ({ leftOut, weakPasswords, withoutPassword, groupsMade, ...counts }) =>
      printJsonLines([
        {
          summary: {
            ...counts,
            left_out: leftOut,
            weak_passwords: weakPasswords,
            without_password: withoutPassword,
            groups_made: groupsMade,
          },
        },
      ]),
  }
}

/** Everybody in a dry run; afterwards only who was left out or needs attention. */
function tableLines(isDryRun: boolean): Lines {
  let began = false
  return {
    async line({ action, username, details, notes }) {
      if (action === 'unchanged' && notes.length === 0) return
      if (!isDryRun && action !== 'left-out' && notes.length === 0) return
      if (!began) print(row('WHAT', 'USERNAME', 'DETAILS'))
      began = true
      print(row(words[action], username, [...details, ...notes.map((note) => `! ${note}`)].join(', ')))
    },
    async end(summary) {
      const { made, changed, unchanged, leftOut, weakPasswords, withoutPassword, groupsMade } = summary
      if (began) print('')
      print(
        `${isDryRun ? 'Would be made' : 'Made'}: ${made}, changed: ${changed}, unchanged: ${unchanged}, left out: ${leftOut}. Groups made: ${groupsMade}.`,
      )
      if (withoutPassword > 0)
        print(`Without a password: ${withoutPassword}. Give them a link: watchword user invite NAME`)
      if (weakPasswords > 0) print(`With a weak hash until they sign in: ${weakPasswords}.`)
      if (isDryRun) printAside('Nothing was changed. Run it again without --dry-run.')
    },
  }
}

const words = { made: 'make', changed: 'change', unchanged: 'keep', 'left-out': 'leave out' } as const

const row = (what: string, username: string, details: string): string =>
  `${what.padEnd(9)}  ${username.padEnd(24)}  ${details}`.trimEnd()
