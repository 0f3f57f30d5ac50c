import type { Command } from 'commander'
import { lookUpWaits } from '../../../actions/look-up-waits.ts'
import { expiryOf, isAlive } from '../../../domain/session.ts'
import { findShownUser } from '../../../store/views/show-user.ts'
import { examples, type Handler } from '../../invocation.ts'
import { withServices } from '../../open-services.ts'
import { noSuchUser } from '../../sentences.ts'
import { describeUser } from '../../show-user/describe-user.ts'
import { userAsJson } from '../../show-user/user-as-json.ts'
import { done, printJson, refuse } from '../../terminal.ts'

/** `watchword user show` */
export function declareUserShow(command: Command): Handler {
  command.argument('<username>').option('--json', 'for a program')
  examples(command, 'watchword user show bob', 'watchword user show bob --json')
  return ({ args: [username = ''], configFile }) =>
    withServices(configFile, async (services) => {
      const now = services.now()
      const found = await findShownUser(services.db, username, now)
      if (found === undefined) return refuse(noSuchUser(username))
      const rules = services.policy.session
      const sessions = found.sessions
        .filter((session) => isAlive(session, rules, now))
        .map((session) => ({ ...session, endsAt: expiryOf(session, rules) }))
      const standing = { user: { ...found, sessions }, waits: await lookUpWaits(services, found) }
      if (command.opts<{ json?: true }>().json) printJson(userAsJson(standing))
      else describeUser(standing)
      return done()
    })
}
