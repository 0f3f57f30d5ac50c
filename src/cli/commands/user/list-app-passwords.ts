import type { Command } from 'commander'
import * as appPasswords from '../../../store/app-passwords.ts'
import * as users from '../../../store/users.ts'
import { examples, type Handler } from '../../invocation.ts'
import { withServices } from '../../open-services.ts'
import { noSuchUser } from '../../sentences.ts'
import { appPasswordAsJson, printAppPasswords } from '../../show-user/print-app-passwords.ts'
import { done, printJson, refuse } from '../../terminal.ts'

/** `watchword user app-password list` */
export function declareAppPasswordList(command: Command): Handler {
  command.argument('<username>').option('--json', 'for a program')
  examples(command, 'watchword user app-password list bob')
  return ({ args: [username = ''], configFile }) =>
    withServices(configFile, async ({ db }) => {
      const user = await users.findByUsername(db, username)
      if (user === undefined) return refuse(noSuchUser(username))
      const owned = await appPasswords.listOf(db, user.id)
      if (command.opts<{ json?: true }>().json) {
        printJson(owned.map(appPasswordAsJson))
        return done()
      }
      if (owned.length === 0) return done(`${username} has no app passwords.`)
      printAppPasswords(owned)
      return done()
    })
}
