import type { Command } from 'commander'
import * as codeWindows from '../../../store/code-windows.ts'
import * as users from '../../../store/users.ts'
import { examples, type Handler } from '../../invocation.ts'
import { withServices } from '../../open-services.ts'
import { noSuchUser } from '../../sentences.ts'
import { codeWindowAsJson, printCodeWindows } from '../../show-user/print-code-windows.ts'
import { done, printJson, refuse } from '../../terminal.ts'

/** `watchword user code-window list` */
export function declareCodeWindowList(command: Command): Handler {
  command.argument('<username>').option('--json', 'for a program')
  examples(command, 'watchword user code-window list bob')
  return ({ args: [username = ''], configFile }) =>
    withServices(configFile, async ({ db, now }) => {
      const user = await users.findByUsername(db, username)
      if (user === undefined) return refuse(noSuchUser(username))
      const open = await codeWindows.listOpen(db, user.id, now())
      if (command.opts<{ json?: true }>().json) {
        printJson(open.map(codeWindowAsJson))
        return done()
      }
      if (open.length === 0) return done(`No program comes in by a password and code of ${username}.`)
      printCodeWindows(open)
      return done()
    })
}
