import type { Command } from 'commander'
import { deleteUser } from '../../../actions/delete-user.ts'
import * as users from '../../../store/users.ts'
import { addYes, confirmed } from '../../confirmation.ts'
import { examples, type Handler } from '../../invocation.ts'
import { operator, withServices } from '../../open-services.ts'
import { noSuchUser } from '../../sentences.ts'
import { done, refuse } from '../../terminal.ts'

/** `watchword user delete` */
export function declareUserDelete(command: Command): Handler {
  command.argument('<username>')
  addYes(command)
  examples(command, 'watchword user delete bob', 'watchword user delete bob --yes')
  return ({ args: [username = ''], configFile }) =>
    withServices(configFile, async (services) => {
      if ((await users.findByUsername(services.db, username)) === undefined)
        return refuse(noSuchUser(username))
      await confirmed(command.opts(), `Delete ${username} for good? Disabling can be undone.`, 'needs-yes')
      const outcome = await deleteUser(services, username, operator())
      switch (outcome.kind) {
        case 'deleted':
          return done(`${username} is deleted. The audit log keeps what they did.`)
        case 'no-such-user':
          return refuse(noSuchUser(username))
      }
    })
}
