import type { Command } from 'commander'
import { explainUsername, usernameProblem } from '../../domain/user.ts'
import type { Services } from '../../services.ts'
import * as users from '../../store/users.ts'
import { shownName } from '../arguments.ts'
import { ExitCode, UsageError } from '../exit-code.ts'
import { examples, type Handler } from '../invocation.ts'
import { makeUser } from '../make-user.ts'
import { operator, withServices } from '../open-services.ts'
import { addPasswordOptions, type PasswordOptions, passwordSource } from '../password-source.ts'
import { isInteractive } from '../secret-input.ts'
import { print } from '../terminal.ts'

/** `watchword createsuperuser` */
export function declareCreateSuperuser(command: Command): Handler {
  command
    .option('--username <name>', 'the name to sign in with; asked for when left out')
    .option('--display-name <name>', 'the name to show', shownName('--display-name', 128))
  addPasswordOptions(command)
  examples(
    command,
    'watchword createsuperuser',
    'watchword createsuperuser --username alice --password-stdin < password-file',
  )

  return async ({ configFile }) => {
    const options = command.opts<PasswordOptions & { username?: string; displayName?: string }>()
    if (options.username === undefined && !isInteractive()) {
      throw new UsageError('There is no terminal to ask for the username. Use --username.')
    }
    const typedPassword = await passwordSource(options)
    return withServices(configFile, async (services, config) => {
      const username = options.username ?? (await askUsername(services))
      const owner = { username, displayName: options.displayName ?? '', isSuperuser: true }
      const password = await typedPassword(services, owner)
      const code = await makeUser(services, { ...owner, password, mustChangePassword: false, groups: [] })
      if (code === ExitCode.done) {
        print(`Sign in at ${config.origin}/login: the first time, it asks you to set up a one-time code.`)
      }
      return code
    })
  }
}

async function askUsername({ db }: Services): Promise<string> {
  const { askLine } = await import('../prompts.ts')
  const taken = new Set<string>()
  for (;;) {
    const username = await askLine(
      'Username',
      (answer) => {
        const problem = usernameProblem(answer)
        if (problem !== undefined) return explainUsername(problem)
        return taken.has(answer) ? 'There is a user of that name already.' : undefined
      },
      taken.size === 0 ? operator().operator : '',
    )
    if ((await users.findByUsername(db, username)) === undefined) return username
    print(`There is a user called "${username}" already. Choose another name.`)
    taken.add(username)
  }
}
