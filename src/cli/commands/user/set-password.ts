import type { Command } from 'commander'
import { setPassword } from '../../../actions/set-password.ts'
import { explainPassword } from '../../../domain/password/policy.ts'
import * as users from '../../../store/users.ts'
import { examples, type Handler } from '../../invocation.ts'
import { operator, withServices } from '../../open-services.ts'
import { addPasswordOptions, type PasswordOptions, passwordSource } from '../../password-source.ts'
import { busy, noSuchUser } from '../../sentences.ts'
import { done, refuse } from '../../terminal.ts'

/** `watchword user set-password` */
export function declareUserSetPassword(command: Command): Handler {
  command.argument('<username>')
  addPasswordOptions(command)
  command.option('--must-change', 'the user must choose another one at the next sign-in')
  examples(
    command,
    'watchword user set-password bob',
    'watchword user set-password bob --must-change --password-stdin < password-file',
  )
  return async ({ args: [username = ''], configFile }) => {
    const options = command.opts<PasswordOptions & { mustChange?: true }>()
    const typedPassword = await passwordSource(options)
    return withServices(configFile, async (services) => {
      const user = await users.findByUsername(services.db, username)
      if (user === undefined) return refuse(noSuchUser(username))
      const password = await typedPassword(services, user)
      const input = { username, password, mustChange: options.mustChange ?? false }
      const outcome = await setPassword(services, input, operator())
      switch (outcome.kind) {
        case 'changed':
          return done(`${username} has a new password and is signed out everywhere.`)
        case 'unsuitable':
          return refuse(
            outcome.problem.kind === 'unchanged'
              ? `This is the password that ${username} has. Choose another.`
              : explainPassword(outcome.problem),
          )
        case 'no-such-user':
          return refuse(noSuchUser(username))
        case 'busy':
          return refuse(busy)
        case 'superseded':
          return refuse(`The account of ${username} was changed at the same moment. Run this again.`)
      }
    })
  }
}
