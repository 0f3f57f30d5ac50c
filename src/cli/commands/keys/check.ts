import type { Command } from 'commander'
import { checkKeys } from '../../../actions/check-keys.ts'
import type { Db } from '../../../store/database.ts'
import { type DeviceOwner, listDeviceOwners } from '../../../store/views/list-device-owners.ts'
import { ExitCode } from '../../exit-code.ts'
import { examples, type Handler } from '../../invocation.ts'
import { keyIdsIn } from '../../key-store.ts'
import { withServices } from '../../open-services.ts'
import { done, print, printJson, printTable, refuse } from '../../terminal.ts'

interface Report {
  readonly keys: readonly {
    readonly id: string
    readonly state: 'current' | 'older' | 'missing'
    readonly sealed: number
  }[]
  readonly unopenable: readonly DeviceOwner[]
  readonly unopenable_signing_keys: readonly string[]
}

/** `watchword keys check` */
export function declareKeysCheck(command: Command): Handler {
  command.option('--json', 'for a program: {"keys": […], "unopenable": […], "unopenable_signing_keys": […]}')
  command.addHelpText('after', '\nExits with 1 when a secret does not open.')
  examples(command, 'watchword keys check', 'watchword keys check --json')
  return ({ configFile }) =>
    withServices(configFile, async (services, config) => {
      const { sealedBy, unopenable, unopenableSigningKeys } = await checkKeys(services)
      const { current, older } = keyIdsIn(config.keyFile)
      const there = [current, ...older]
      const missing = [...sealedBy.keys()].filter((id) => !there.includes(id))
      const keys = [...there, ...missing].map((id) => ({
        id,
        state:
          id === current
            ? ('current' as const)
            : missing.includes(id)
              ? ('missing' as const)
              : ('older' as const),
        sealed: sealedBy.get(id) ?? 0,
      }))
      const report = {
        keys,
        unopenable: await ownersOf(services.db, unopenable),
        unopenable_signing_keys: unopenableSigningKeys,
      }
      if (!command.opts<{ json?: true }>().json) return describe(report)
      printJson(report)
      return unopenable.length + unopenableSigningKeys.length === 0 ? ExitCode.done : ExitCode.refused
    })
}

async function ownersOf(db: Db, ids: readonly string[]): Promise<DeviceOwner[]> {
  const owners: DeviceOwner[] = []
  for (let start = 0; start < ids.length; start += 500) {
    owners.push(...(await listDeviceOwners(db, ids.slice(start, start + 500))))
  }
  return owners
}

function describe({ keys, unopenable, unopenable_signing_keys: signingKeys }: Report): ExitCode {
  printTable(
    ['KEY', 'STATE', 'SEALED WITH IT'],
    keys.map(({ id, state, sealed }) => [id, state, String(sealed)]),
  )
  if (unopenable.length + signingKeys.length === 0) return done('', 'Every secret opens.')
  if (signingKeys.length > 0) {
    print('', `These keys of assertions do not open: ${signingKeys.join(', ')}`)
    print('Without the key file that belongs to them, make another: watchword keys rotate-signing --at-once')
  }
  if (unopenable.length === 0) return refuse('Restore the key file that belongs to this database.')
  print('', 'These do not open:')
  printTable(
    ['USER', 'DEVICE', 'IDENTIFIER'],
    unopenable.map(({ username, name, id }) => [username, name, id]),
  )
  return refuse(
    'Restore the key file that belongs to this database. Without it these users need a new device: watchword user reset-second-factor NAME',
  )
}
