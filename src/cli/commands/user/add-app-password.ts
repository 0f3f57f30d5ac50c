import type { Command } from 'commander'
import { makeAppPasswordFor, type NewAppPassword } from '../../../actions/make-app-password.ts'
import { APP_PASSWORD_DAYS_MAXIMUM } from '../../../domain/app-password.ts'
import { addForbidden, collected, shownName, wholeNumber } from '../../arguments.ts'
import type { ExitCode } from '../../exit-code.ts'
import { showInstant } from '../../instant.ts'
import { examples, type Handler } from '../../invocation.ts'
import { operator, withServices } from '../../open-services.ts'
import { noSuchUser } from '../../sentences.ts'
import { done, printAside, refuse } from '../../terminal.ts'

interface Options {
  readonly name: string
  readonly policy: readonly string[]
  readonly days?: number
}

/** `watchword user app-password add` */
export function declareAppPasswordAdd(command: Command): Handler {
  command
    .argument('<username>')
    .requiredOption('--name <name>', 'what it is for, such as "backup of the wiki"', shownName('--name', 64))
    .requiredOption(
      '--policy <name>',
      'the access policy that it opens; may be given several times',
      collected,
    )
    .option(
      '--days <number>',
      'how long it lasts (default: as long as "app_passwords.longest_days" allows)',
      wholeNumber('--days', 1, APP_PASSWORD_DAYS_MAXIMUM),
    )
  addForbidden(command, '--password')
  command.addHelpText('after', '\nThe app password alone goes to standard output, everything else beside it.')
  examples(
    command,
    'watchword user app-password add backup --name "nightly copy" --policy two-factor --days 90',
  )
  return ({ args: [username = ''], configFile }) => {
    const { name, policy, days } = command.opts<Options>()
    return withServices(configFile, (services) =>
      report(services, username, { name, policies: policy, days }),
    )
  }
}

async function report(
  services: Parameters<typeof makeAppPasswordFor>[0],
  username: string,
  wanted: NewAppPassword,
): Promise<ExitCode> {
  const outcome = await makeAppPasswordFor(services, username, { wanted, by: operator() })
  switch (outcome.kind) {
    case 'made':
      printAside(
        `The app password "${wanted.name}" of ${username} opens ${wanted.policies.join(', ')}; it is shown this once, and ends: ${showInstant(outcome.expiresAt)}.`,
      )
      return done(outcome.appPassword)
    case 'unsuitable-name':
      return refuse('A name has 1 to 64 characters, none of them invisible.')
    case 'unsuitable-policy':
      return refuse(
        `There is no policy "${outcome.policy ?? ''}" that takes app passwords. Give it access = ["session", "app-password"] under [policies] in the settings, or name another.`,
      )
    case 'unsuitable-lifetime':
      return refuse(
        `An app password may last ${outcome.longestDays} days at most ("app_passwords.longest_days").`,
      )
    case 'too-many':
      return refuse(
        `${username} has ${outcome.maximum} app passwords, and may not have more. To revoke one: watchword user app-password list ${username}`,
      )
    case 'disabled':
      return refuse(`${username} is disabled. To enable them: watchword user enable ${username}`)
    case 'no-such-user':
      return refuse(noSuchUser(username))
  }
}
