import type { Command } from 'commander'
import { type ExportedUser, exportUsers } from '../../../actions/export-users.ts'
import { passphraseSealer } from '../../../crypto/passphrase.ts'
import { addForbidden } from '../../arguments.ts'
import { ExitCode, UsageError } from '../../exit-code.ts'
import { withOutput } from '../../export-output.ts'
import { isoInstant } from '../../instant.ts'
import { examples, type Handler } from '../../invocation.ts'
import { operator, withServices } from '../../open-services.ts'
import { newPassphrase } from '../../passphrase.ts'
import { visibleJson } from '../../visible.ts'

interface Options {
  readonly output?: string
  readonly withSecrets?: true
  readonly passphraseStdin?: true
}

/** `watchword export users` */
export function declareExportUsers(command: Command): Handler {
  command
    .option('--output <file>', 'where to write it; a file that is there is not replaced')
    .option('--with-secrets', 'put the secrets of authenticators in too, sealed by a passphrase')
    .option('--passphrase-stdin', 'with --with-secrets: read the passphrase from standard input, one line')
  addForbidden(command, '--passphrase')
  command.addHelpText(
    'after',
    '\nPassword hashes are in it: whoever reads it can guess at passwords for as long as they like.',
  )
  examples(
    command,
    'watchword export users --output users.jsonl',
    'watchword export users --with-secrets --output users.jsonl',
  )
  return ({ configFile }) => {
    const options = command.opts<Options & { passphrase?: string }>()
    if (options.passphrase !== undefined) {
      throw new UsageError(
        'Every process of the machine can read what is on a command line. Use --passphrase-stdin.',
      )
    }
    if (options.passphraseStdin && !options.withSecrets) {
      throw new UsageError('--passphrase-stdin goes with --with-secrets.')
    }
    return withServices(configFile, async (services) => {
      const seal = options.withSecrets
        ? await passphraseSealer(await newPassphrase(options.passphraseStdin === true, 'the secrets'))
        : undefined
      await withOutput(options.output, (write) =>
        exportUsers(services, { format: 'jsonl', seal }, operator(), (users) =>
          write(users.map((user) => visibleJson(asJson(user)))),
        ),
      )
      return ExitCode.done
    })
  }
}

const asJson = (user: ExportedUser) => ({
  id: user.id,
  username: user.username,
  display_name: user.displayName,
  superuser: user.isSuperuser,
  disabled: user.disabled,
  created_at: isoInstant(user.createdAt),
  last_sign_in_at: user.lastSignInAt === undefined ? null : isoInstant(user.lastSignInAt),
  groups: user.groups,
  password:
    user.password === undefined
      ? null
      : {
          hash: user.password.hash,
          changed_at: isoInstant(user.password.changedAt),
          must_change: user.password.mustChange,
        },
  devices: user.devices.map((device) => ({
    id: device.id,
    kind: device.kind,
    name: device.name,
    algorithm: device.algorithm,
    digits: device.digits,
    ...(device.kind === 'totp'
      ? { period: device.period, t0: device.t0, drift: device.drift, last_used_step: device.lastUsedStep }
      : { counter: device.counter }),
    created_at: isoInstant(device.createdAt),
    last_used_at: device.lastUsedAt === undefined ? null : isoInstant(device.lastUsedAt),
    disabled: device.disabled,
    ...(device.sealedUri !== undefined && { sealed_uri: device.sealedUri }),
  })),
})
