import type { Command } from 'commander'
import { revokeAppPasswordOf } from '../../../actions/revoke-app-password.ts'
import * as appPasswords from '../../../store/app-passwords.ts'
import * as users from '../../../store/users.ts'
import { examples, type Handler } from '../../invocation.ts'
import { operator, withServices } from '../../open-services.ts'
import { noSuchUser } from '../../sentences.ts'
import { done, refuse } from '../../terminal.ts'

/** `watchword user app-password revoke` */
export function declareAppPasswordRevoke(command: Command): Handler {
  command.argument('<username>').argument('<identifier>')
  examples(command, 'watchword user app-password revoke bob 06f4j1kq0g00d9vq8m2n5t1a3c')
  return ({ args: [username = '', id = ''], configFile }) =>
    withServices(configFile, async (services) => {
      const user = await users.findByUsername(services.db, username)
      if (user === undefined) return refuse(noSuchUser(username))
      const none = () =>
        refuse(
          `${username} has no app password "${id}"; those that there are: watchword user app-password list ${username}`,
        )
      // The name must fit, so that a slip in the identifier does not revoke somebody else's.
      if ((await appPasswords.findOwner(services.db, id)) !== user.id) return none()
      const outcome = await revokeAppPasswordOf(services, id, operator())
      switch (outcome.kind) {
        case 'revoked':
          return done('The app password is revoked. Whatever uses it is refused from now on.')
        case 'not-found':
          return none()
      }
    })
}
