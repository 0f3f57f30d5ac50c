import type { Command } from 'commander'
import { pruneKeys } from '../../../actions/prune-keys.ts'
import { addYes, confirmed } from '../../confirmation.ts'
import { examples, type Handler } from '../../invocation.ts'
import { keyStore } from '../../key-store.ts'
import { operator, withServices } from '../../open-services.ts'
import { done } from '../../terminal.ts'

/** `watchword keys prune` */
export function declareKeysPrune(command: Command): Handler {
  addYes(command)
  command.addHelpText(
    'after',
    '\nBackups of the database from before the rotation need the keys that go: keep the old key file with them.',
  )
  examples(command, 'watchword keys prune')
  return ({ configFile }) =>
    withServices(configFile, async (services, config) => {
      const keys = keyStore(config.keyFile)
      const question =
        'Remove unused keys? Older backups of the database will need the key file as it is now.'
      await confirmed(command.opts(), question, 'goes-on')
      const { removed } = await pruneKeys(services, keys, operator())
      return removed.length === 0
        ? done('There is no key that nothing is sealed with.')
        : done(
            `Removed: ${removed.join(', ')}. Backups from before the rotation need the key file of that time.`,
          )
    })
}
