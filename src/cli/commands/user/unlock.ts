import type { Command } from 'commander'
import { unlockUser } from '../../../actions/unlock-user.ts'
import { examples, type Handler } from '../../invocation.ts'
import { operator, withServices } from '../../open-services.ts'
import { noSuchUser } from '../../sentences.ts'
import { done, print, refuse } from '../../terminal.ts'

/** `watchword user unlock` */
export function declareUserUnlock(command: Command): Handler {
  command.argument('<username>')
  examples(command, 'watchword user unlock bob')
  return ({ args: [username = ''], configFile }) =>
    withServices(configFile, async (services) => {
      const outcome = await unlockUser(services, username, operator())
      switch (outcome.kind) {
        case 'unlocked':
          print(`${username} need not wait any more.`)
          return outcome.disabledDevices === 0
            ? done()
            : done(
                `Wrong codes have disabled ${outcome.disabledDevices} of their devices, for good. To bind a new one: watchword user reset-second-factor ${username}`,
              )
        case 'no-such-user':
          return refuse(noSuchUser(username))
      }
    })
}
