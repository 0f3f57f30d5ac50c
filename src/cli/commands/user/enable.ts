import type { Command } from 'commander'
import { enableUser } from '../../../actions/enable-user.ts'
import { examples, type Handler } from '../../invocation.ts'
import { operator, withServices } from '../../open-services.ts'
import { noSuchUser } from '../../sentences.ts'
import { done, refuse } from '../../terminal.ts'

/** `watchword user enable` */
export function declareUserEnable(command: Command): Handler {
  command.argument('<username>')
  examples(command, 'watchword user enable bob')
  return ({ args: [username = ''], configFile }) =>
    withServices(configFile, async (services) => {
      const outcome = await enableUser(services, username, operator())
      switch (outcome.kind) {
        case 'enabled':
          return done(`${username} may sign in again, with password and devices as they were.`)
        case 'already-so':
          return refuse(`${username} is not disabled.`)
        case 'no-such-user':
          return refuse(noSuchUser(username))
      }
    })
}
