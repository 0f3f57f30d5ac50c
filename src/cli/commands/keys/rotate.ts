import type { Command } from 'commander'
import { addSealingKey } from '../../../actions/add-sealing-key.ts'
import { checkKeys } from '../../../actions/check-keys.ts'
import { resealKeys } from '../../../actions/reseal-keys.ts'
import { examples, type Handler } from '../../invocation.ts'
import { keyStore } from '../../key-store.ts'
import { operator, withServices } from '../../open-services.ts'
import { done, print, refuse } from '../../terminal.ts'

/** `watchword keys rotate` */
export function declareKeysRotate(command: Command): Handler {
  command.addHelpText(
    'after',
    '\nMay be stopped at any moment: run again, it goes on where it was and makes no further key.\nA server that runs notices by itself.',
  )
  examples(command, 'watchword keys rotate && watchword keys check')
  return ({ configFile }) =>
    withServices(configFile, async (services, config) => {
      const keys = keyStore(config.keyFile)
      const { unopenable, unopenableSigningKeys } = await checkKeys(services)
      const damaged = unopenable.length + unopenableSigningKeys.length
      if (damaged > 0) {
        return refuse(
          `Some secrets (${damaged}) do not open with the keys that are there, so nothing was changed. To see which: watchword keys check`,
        )
      }
      const { kind } = await addSealingKey(services, keys)
      const { resealed } = await resealKeys(services, operator())
      const current = services.sealer.currentKeyId()
      switch (kind) {
        case 'added':
          print(`Key ${current} is new and seals from now on. Secrets sealed anew with it: ${resealed}.`)
          break
        case 'unfinished':
          print(
            `An earlier rotation had been stopped; it is finished now. Secrets sealed anew with key ${current}: ${resealed}. For a further key run this again.`,
          )
          break
      }
      return done('Older keys stay for backups of the database; to remove them: watchword keys prune')
    })
}
