import type { Command } from 'commander'
import { disableUser } from '../../../actions/disable-user.ts'
import { examples, type Handler } from '../../invocation.ts'
import { operator, withServices } from '../../open-services.ts'
import { noSuchUser } from '../../sentences.ts'
import { done, refuse } from '../../terminal.ts'

/** `watchword user disable` */
export function declareUserDisable(command: Command): Handler {
  command.argument('<username>')
  examples(command, 'watchword user disable bob')
  return ({ args: [username = ''], configFile }) =>
    withServices(configFile, async (services) => {
      const outcome = await disableUser(services, username, operator())
      switch (outcome.kind) {
        case 'disabled':
          return done(`${username} is disabled and signed out everywhere.`)
        case 'already-so':
          return refuse(`${username} is disabled already.`)
        case 'no-such-user':
          return refuse(noSuchUser(username))
      }
    })
}
