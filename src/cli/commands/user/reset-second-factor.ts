import type { Command } from 'commander'
import { resetSecondFactor } from '../../../actions/reset-second-factor.ts'
import * as users from '../../../store/users.ts'
import { addYes, confirmed } from '../../confirmation.ts'
import { examples, type Handler } from '../../invocation.ts'
import { operator, withServices } from '../../open-services.ts'
import { busy, noSuchUser } from '../../sentences.ts'
import { done, printAside, refuse } from '../../terminal.ts'

/** `watchword user reset-second-factor` */
export function declareUserResetSecondFactor(command: Command): Handler {
  command.argument('<username>')
  addYes(command)
  command.addHelpText(
    'after',
    '\nThe recovery code alone goes to standard output, everything else beside it.',
  )
  examples(
    command,
    'watchword user reset-second-factor bob',
    'code=$(watchword user reset-second-factor bob --yes)',
  )
  return ({ args: [username = ''], configFile }) =>
    withServices(configFile, async (services) => {
      if ((await users.findByUsername(services.db, username)) === undefined)
        return refuse(noSuchUser(username))
      const question = `Remove all devices and recovery codes of ${username}, and sign them out everywhere?`
      await confirmed(command.opts(), question, 'goes-on')
      const outcome = await resetSecondFactor(services, username, operator())
      switch (outcome.kind) {
        case 'reset':
          printAside(
            `All devices and recovery codes of ${username} are gone. Here is one recovery code; it works once, for ${outcome.lifetime / 3600} hours:`,
          )
          done(outcome.recoveryCode)
          printAside(
            `Make sure that it is ${username} you are talking to: meet them, or call them back on a number that you know.`,
            'Tell them the code by voice or on paper, not by e-mail. With it and their password they sign in and bind a new device.',
          )
          return done()
        case 'no-such-user':
          return refuse(noSuchUser(username))
        case 'busy':
          return refuse(busy)
      }
    })
}
