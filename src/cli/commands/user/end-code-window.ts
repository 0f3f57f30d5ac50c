import type { Command } from 'commander'
import { endCodeWindowOf } from '../../../actions/end-code-window.ts'
import * as codeWindows from '../../../store/code-windows.ts'
import * as users from '../../../store/users.ts'
import { examples, type Handler } from '../../invocation.ts'
import { operator, withServices } from '../../open-services.ts'
import { noSuchUser } from '../../sentences.ts'
import { done, refuse } from '../../terminal.ts'

/** `watchword user code-window end` */
export function declareCodeWindowEnd(command: Command): Handler {
  command.argument('<username>').argument('<identifier>')
  examples(command, 'watchword user code-window end bob 06f4j1kq0g00d9vq8m2n5t1a3c')
  return ({ args: [username = '', id = ''], configFile }) =>
    withServices(configFile, async (services) => {
      const user = await users.findByUsername(services.db, username)
      if (user === undefined) return refuse(noSuchUser(username))
      const none = () =>
        refuse(
          `${username} has nothing open by the identifier "${id}"; what there is: watchword user code-window list ${username}`,
        )
      // The name must fit, so that a slip in the identifier does not end somebody else's.
      if ((await codeWindows.findOwner(services.db, id)) !== user.id) return none()
      const outcome = await endCodeWindowOf(services, id, operator())
      switch (outcome.kind) {
        case 'ended':
          return done('Ended. The program is refused until it brings another code.')
        case 'not-found':
          return none()
      }
    })
}
