import type { Command } from 'commander'
import { explainUsername, usernameProblem } from '../../../domain/user.ts'
import { collected, shownName } from '../../arguments.ts'
import { UsageError } from '../../exit-code.ts'
import { examples, type Handler } from '../../invocation.ts'
import { makeUser } from '../../make-user.ts'
import { withServices } from '../../open-services.ts'
import { addPasswordOptions, type PasswordOptions, passwordSource } from '../../password-source.ts'
import { refuse } from '../../terminal.ts'

interface Options extends PasswordOptions {
  readonly displayName?: string
  readonly group?: readonly string[]
  readonly superuser?: true
  readonly mustChange?: true
}

/** `watchword user create` */
export function declareUserCreate(command: Command): Handler {
  command
    .argument('<username>')
    .option('--display-name <name>', 'the name to show', shownName('--display-name', 128))
    .option('--group <group>', 'a group to be in; may be given several times', collected)
    .option('--superuser', 'the user may do everything')
    .option('--must-change', 'the user must choose another password at the first sign-in')
  addPasswordOptions(command)
  command.option('--no-password', 'no password for now: nobody can sign in until one is set')
  examples(
    command,
    'watchword user create bob --display-name "Bob Builder" --group staff --group wiki',
    'watchword user create bob --must-change --password-stdin < password-file',
  )

  return async ({ args: [username = ''], configFile }) => {
    const options = command.opts<Options>()
    const typedPassword = await passwordOf(options)
    return withServices(configFile, async (services) => {
      const problem = usernameProblem(username)
      if (problem !== undefined) return refuse(explainUsername(problem))
      const isSuperuser = options.superuser ?? false
      const owner = { username, displayName: options.displayName ?? '', isSuperuser }
      const password = await typedPassword?.(services, owner)
      const mustChangePassword = options.mustChange ?? false
      return makeUser(services, { ...owner, password, mustChangePassword, groups: options.group ?? [] })
    })
  }
}

async function passwordOf(options: Options) {
  if (options.password !== false) return passwordSource(options)
  if (options.passwordStdin || options.mustChange) {
    throw new UsageError('--no-password goes without --password-stdin and --must-change. Leave one out.')
  }
  return undefined
}
