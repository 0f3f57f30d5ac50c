import type { Command } from 'commander'
import { rotateSigningKey } from '../../../actions/rotate-signing-key.ts'
import { KEY_SET_LIFETIME, KEYS_REMEMBERED } from '../../../domain/assertion.ts'
import { addYes, confirmed } from '../../confirmation.ts'
import { isoInstant } from '../../instant.ts'
import { examples, type Handler } from '../../invocation.ts'
import { operator, withServices } from '../../open-services.ts'
import { done, refuse } from '../../terminal.ts'

/** `watchword keys rotate-signing` */
export function declareKeysRotateSigning(command: Command): Handler {
  command.option('--at-once', 'the old key is in wrong hands: let it count no more from now on')
  addYes(command)
  command.addHelpText(
    'after',
    `\nThe new key is published at once and signs fifteen minutes later, so that every application knows it by then.\n--at-once: servers change within ${KEYS_REMEMBERED} seconds; an application may believe the old key until it reads the\npublished keys again, ${KEY_SET_LIFETIME / 60} minutes or what its library makes of it, and may refuse the new one until then.`,
  )
  examples(command, 'watchword keys rotate-signing', 'watchword keys rotate-signing --at-once')
  return ({ configFile }) =>
    withServices(configFile, async (services) => {
      const { atOnce = false } = command.opts<{ atOnce?: true }>()
      if (atOnce) {
        const question = 'Sign with a new key at once? Applications may refuse people for some minutes.'
        await confirmed(command.opts(), question, 'goes-on')
      }
      const outcome = await rotateSigningKey(services, { atOnce, by: operator() })
      switch (outcome.kind) {
        case 'rotated':
          return done(
            atOnce
              ? `Key ${outcome.keyId} signs from now on; servers that run change within ${KEYS_REMEMBERED} seconds. Older keys are published no more.`
              : `Key ${outcome.keyId} is published and signs from ${isoInstant(outcome.usedFrom)} on.`,
          )
        case 'under-way':
          return refuse(
            `Key ${outcome.keyId} is published already and signs from ${isoInstant(outcome.usedFrom)} on. Wait until then, or, if the old key is in wrong hands: watchword keys rotate-signing --at-once`,
          )
        case 'overtaken':
          return refuse('Another rotation was made at the same moment. Run this again if one more is wanted.')
      }
    })
}
