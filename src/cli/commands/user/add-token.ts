import type { Command } from 'commander'
import { addDevice, type HardwareToken, KEY_BYTES_MINIMUM } from '../../../actions/add-device.ts'
import { addForbidden, oneOf, shownName, wholeNumber } from '../../arguments.ts'
import { UsageError } from '../../exit-code.ts'
import { examples, type Handler } from '../../invocation.ts'
import { operator, withServices } from '../../open-services.ts'
import { noSuchUser } from '../../sentences.ts'
import { done, refuse } from '../../terminal.ts'
import { type KeyEncoding, keyEncodings, readTokenKey } from '../../token-key.ts'

interface Options {
  readonly name: string
  readonly totp?: true
  readonly hotp?: true
  readonly keyStdin?: true
  readonly key?: string | true
  readonly encoding: KeyEncoding
  readonly algorithm: HardwareToken['algorithm']
  readonly digits: string
  readonly period?: number
  readonly counter?: number
}

const algorithms = ['sha1', 'sha256', 'sha512'] as const

/** `watchword user add-token` */
export function declareUserAddToken(command: Command): Handler {
  command
    .argument('<username>')
    .requiredOption(
      '--name <name>',
      'what to call the token, such as its serial number',
      shownName('--name', 64),
    )
    .option('--totp', 'its codes change with time (RFC 6238)')
    .option('--hotp', 'its codes change with each press (RFC 4226)')
    .option('--key-stdin', 'read the key from standard input, one line')
    .option(
      '--encoding <encoding>',
      `how the key is written: ${keyEncodings.join(', ')}`,
      oneOf('--encoding', keyEncodings),
      'base32',
    )
    .option('--algorithm <name>', `${algorithms.join(', ')}`, oneOf('--algorithm', algorithms), 'sha1')
    .option('--digits <number>', 'digits of a code: 6 or 8', oneOf('--digits', ['6', '8']), '6')
    .option(
      '--period <seconds>',
      'with --totp: how long a code lasts (default: 30)',
      wholeNumber('--period', 1, 3600),
    )
    .option(
      '--counter <number>',
      'with --hotp: the next counter (default: 0)',
      wholeNumber('--counter', 0, Number.MAX_SAFE_INTEGER),
    )
  addForbidden(command, '--key')
  examples(
    command,
    'watchword user add-token bob --totp --name "Token 4711" --key-stdin < key-file',
    'watchword user add-token bob --hotp --name "Token 4712" --encoding hex --digits 8 --counter 17',
  )

  return async ({ args: [username = ''], configFile }) => {
    const options = command.opts<Options>()
    const kind = kindOf(options)
    const key = await readTokenKey(options)
    const token: HardwareToken = {
      kind,
      key,
      name: options.name,
      algorithm: options.algorithm,
      digits: options.digits === '8' ? 8 : 6,
      period: options.period ?? 30,
      counter: options.counter ?? 0,
    }
    return withServices(configFile, (services) => report(services, username, token))
  }
}

async function report(services: Parameters<typeof addDevice>[0], username: string, token: HardwareToken) {
  const outcome = await addDevice(services, username, token, operator())
  switch (outcome.kind) {
    case 'added':
      return done(`${username} can sign in with codes of "${token.name}", and is signed out everywhere.`)
    case 'unsuitable-name':
      return refuse('A device name has 1 to 64 characters, none of them invisible.')
    case 'weak-key':
      return refuse(
        `The key has ${token.key.length} bytes, and less than ${KEY_BYTES_MINIMUM} can be guessed. Use another token, or check --encoding.`,
      )
    case 'too-many':
      return refuse(
        `${username} has ${outcome.maximum} devices already, and may not have more ("totp.maximum_devices").`,
      )
    case 'no-such-user':
      return refuse(noSuchUser(username))
  }
}

function kindOf({ totp, hotp, period, counter }: Options): 'totp' | 'hotp' {
  if (totp === hotp) throw new UsageError('Say which kind of token it is: --totp or --hotp.')
  if (totp && counter !== undefined) throw new UsageError('--counter is for --hotp. Leave it out.')
  if (hotp && period !== undefined) throw new UsageError('--period is for --totp. Leave it out.')
  return totp ? 'totp' : 'hotp'
}
