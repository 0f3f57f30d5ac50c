import type { Command } from 'commander'
import { readPskc } from '../../../sources/pskc.ts'
import { readSharedKey } from '../../../sources/pskc-cipher.ts'
import type { GivenKey } from '../../../sources/pskc-key.ts'
import { addForbidden } from '../../arguments.ts'
import { UsageError } from '../../exit-code.ts'
import { addImportOptions, runImportCommand } from '../../import-command.ts'
import { examples, type Handler } from '../../invocation.ts'
import { knownPassphrase } from '../../passphrase.ts'
import { readSecretLine } from '../../secret-input.ts'

interface Options {
  readonly owners?: string
  readonly keyStdin?: true
  readonly passphraseStdin?: true
  readonly askPassphrase?: true
  readonly passphrase?: string | true
}

/** `watchword import pskc` */
export function declareImportPskc(command: Command): Handler {
  command
    .argument('<file>')
    .option('--owners <file>', 'who has which token: comma-separated values under serial,username')
    .option(
      '--key-stdin',
      'read the key that the file is encrypted with from standard input, in hex or base64',
    )
    .option('--passphrase-stdin', 'read the passphrase of the file from standard input, one line')
    .option('--ask-passphrase', 'ask for the passphrase of the file at the terminal')
  addForbidden(command, '--passphrase')
  addImportOptions(command)
  examples(
    command,
    'watchword import pskc tokens.xml --owners owners.csv --dry-run',
    'watchword import pskc tokens.xml --owners owners.csv --key-stdin < transport.key',
    'watchword import pskc tokens.xml --owners owners.csv --ask-passphrase',
  )
  return async ({ args: [file = ''], configFile }) => {
    const options = command.opts<Options>()
    const given = await givenKey(options)
    return runImportCommand(command, configFile, 'pskc', (now) =>
      readPskc({ file, ownersFile: options.owners, now, ...given }),
    )
  }
}

/** What the file opens with, asked for before anything is read. */
async function givenKey(options: Options): Promise<GivenKey> {
  if (options.passphrase !== undefined)
    throw new UsageError(
      'Every process of the machine can read what is on a command line. Use --passphrase-stdin or --ask-passphrase.',
    )
  const { keyStdin, passphraseStdin, askPassphrase } = options
  if ([keyStdin, passphraseStdin, askPassphrase].filter(Boolean).length > 1)
    throw new UsageError(
      'A file has a key or a passphrase. Give one of --key-stdin, --passphrase-stdin and --ask-passphrase.',
    )
  return {
    key: keyStdin ? sharedKey(await readSecretLine('key', '--key-stdin')) : undefined,
    passphrase:
      passphraseStdin || askPassphrase
        ? await knownPassphrase(passphraseStdin === true, 'the file')
        : undefined,
  }
}

function sharedKey(text: string): Uint8Array {
  const key = readSharedKey(text)
  if (key !== undefined) return key
  throw new UsageError('The key on standard input is not 16 or 32 bytes in hexadecimal or base64.')
}
