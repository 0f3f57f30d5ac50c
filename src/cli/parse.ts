import { Command, CommanderError } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { type Branch, commands } from './commands.ts'
import { ExitCode, UsageError } from './exit-code.ts'
import type { Declare } from './invocation.ts'

/** Finds the command that the arguments name, loads it and runs it. */
export async function parse(args: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = ExitCode.done
  const program = new Command('watchword')
    .description('A username, a password and a one-time code in front of everything Apache httpd serves.')
    .option('--config <file>', 'settings file; otherwise WATCHWORD_CONFIG, otherwise ./watchword.toml')
    .version(packageJson.version, '--version', 'print the version')
    .helpCommand(false)
    .helpOption('--help', 'print what a command takes')
    .configureHelp({ showGlobalOptions: true, subcommandTerm: (command) => command.name() })
    // What it has to say about an error is said once, by explain-failure.ts.
    .configureOutput({ outputError: () => {} })
    .addHelpText('after', '\nStart with: watchword createsuperuser, then watchword serve')
    .exitOverride()
  grow(program, commands, (done) => {
    code = done
  })
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return ExitCode.done
    // The help was printed, for a family was named without a command of it.
    if (error.code === 'commander.help') return ExitCode.usage
    throw new UsageError(sentenceOf(error))
  }
  return code
}

/** Adds the commands by name; what they take is added when one of them is about to be parsed. */
function grow(parent: Command, branches: readonly Branch[], finish: (code: ExitCode) => void): void {
  const loaders = new Map<Command, () => Promise<Declare>>()
  for (const { name, summary, load, branches: below } of branches) {
    const command = parent.command(name).description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`)
    command.summary(summary).helpCommand(false)
    if (load !== undefined) loaders.set(command, load)
    if (below !== undefined) grow(command, below, finish)
  }
  parent.hook('preSubcommand', async (_, command) => {
    const load = loaders.get(command)
    if (load === undefined) return
    const handle = (await load())(command)
    command.action(async () => {
      const { config } = command.optsWithGlobals<{ config?: string }>()
      finish(await handle({ args: command.args, configFile: config }))
    })
  })
}

/** What is wrong, without values that may be a password typed in the wrong place. */
function sentenceOf({ message, code }: CommanderError): string {
  const plain = message.replace(/^error: /, '')
  switch (code) {
    case 'commander.excessArguments':
      return `T${plain.slice(1).replace(/: .*$/s, '')}. Passwords and keys are never arguments: they are asked for, or read from standard input. See --help.`
    case 'commander.unknownOption':
      return `U${plain
        .slice(1)
        .replace(/=[^\n]*'/, "'")
        .replaceAll('\n', ' ')}. See --help.`
    default:
      return `${plain.charAt(0).toUpperCase()}${plain.slice(1).replaceAll('\n', ' ').replace(/\.$/, '')}. See --help.`
  }
}
