import type { Command } from 'commander'
import { readPskc } from '../../../sources/pskc.ts'
import { readSharedKey } from '../../../sources/pskc-cipher.ts'
import { UsageError } from '../../exit-code.ts'
import { addImportOptions, runImportCommand } from '../../import-command.ts'
import { examples, type Handler } from '../../invocation.ts'
import { readSecretLine } from '../../secret-input.ts'

interface Options {
  readonly owners?: string
  readonly keyStdin?: true
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
  addImportOptions(command)
  examples(
    command,
    'watchword import pskc tokens.xml --owners owners.csv --dry-run',
    'watchword import pskc tokens.xml --owners owners.csv --key-stdin < transport.key',
  )
  return async ({ args: [file = ''], configFile }) => {
    const { owners: ownersFile, keyStdin } = command.opts<Options>()
    const key = keyStdin ? sharedKey(await readSecretLine('key', '--key-stdin')) : undefined
    return runImportCommand(command, configFile, 'pskc', (now) => readPskc({ file, ownersFile, key, now }))
  }
}

function sharedKey(text: string): Uint8Array {
  const key = readSharedKey(text)
  if (key !== undefined) return key
  throw new UsageError('The key on standard input is not 16 or 32 bytes in hexadecimal or base64.')
}
