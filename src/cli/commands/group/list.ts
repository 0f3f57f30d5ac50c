import type { Command } from 'commander'
import { listGroups } from '../../../store/views/list-groups.ts'
import { isoInstant, showInstant } from '../../instant.ts'
import { examples, type Handler } from '../../invocation.ts'
import { withServices } from '../../open-services.ts'
import { done, printJson, printTable } from '../../terminal.ts'

/** `watchword group list` */
export function declareGroupList(command: Command): Handler {
  command.option('--json', 'for a program: {"groups": […]}')
  command.addHelpText('after', '\nTo see who is in a group: watchword user list --group NAME')
  examples(command, 'watchword group list')
  return ({ configFile }) =>
    withServices(configFile, async ({ db }) => {
      const groups = await listGroups(db)
      if (command.opts<{ json?: true }>().json) {
        printJson({
          groups: groups.map(({ name, members, createdAt }) => ({
            name,
            members,
            created_at: isoInstant(createdAt),
          })),
        })
        return done()
      }
      printTable(
        ['GROUP', 'MEMBERS', 'MADE'],
        groups.map(({ name, members, createdAt }) => [name, String(members), showInstant(createdAt)]),
      )
      return done()
    })
}
