import type { Command } from 'commander'
import { inviteUser } from '../../../actions/invite-user.ts'
import { invitationLink } from '../../../domain/invitation.ts'
import { examples, type Handler } from '../../invocation.ts'
import { operator, withServices } from '../../open-services.ts'
import { noSuchUser } from '../../sentences.ts'
import { done, printAside, printJson, refuse } from '../../terminal.ts'

/** `watchword user invite` */
export function declareUserInvite(command: Command): Handler {
  command
    .argument('<username>')
    .option('--json', 'for a program: {"username", "invitation_link", "expires_in"}')
  command.addHelpText('after', '\nThe link alone goes to standard output, everything else beside it.')
  examples(command, 'watchword user invite bob', 'link=$(watchword user invite bob)')
  return ({ args: [username = ''], configFile }) =>
    withServices(configFile, async (services, { origin }) => {
      const outcome = await inviteUser(services, username, operator())
      switch (outcome.kind) {
        case 'invited': {
          const { token, lifetime } = outcome.invitation
          const link = invitationLink(origin, token)
          if (command.opts<{ json?: true }>().json) {
            printJson({ username: outcome.username, invitation_link: link, expires_in: lifetime })
            return done()
          }
          printAside(
            `With this link ${outcome.username} chooses a password. It works once, for ${lifetime / 3600} hours; an earlier one works no more.`,
          )
          return done(link)
        }
        case 'no-such-user':
          return refuse(noSuchUser(username))
        case 'disabled':
          return refuse(`${username} is disabled. First: watchword user enable ${username}`)
        case 'needs-operator':
          return refuse('Only the operator makes a link for a superuser.')
      }
    })
}
