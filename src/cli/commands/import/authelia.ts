import type { Command } from 'commander'
import { readOtpauthUris } from '../../../sources/otpauth-uris.ts'
import { addImportOptions, runImportCommand } from '../../import-command.ts'
import { examples, type Handler } from '../../invocation.ts'

/** `watchword import authelia` */
export function declareImportAuthelia(command: Command): Handler {
  command.argument('<file>')
  addImportOptions(command)
  examples(
    command,
    'authelia storage user totp export uri > uris && watchword import authelia uris --dry-run',
  )
  return ({ args: [file = ''], configFile }) =>
    runImportCommand(command, configFile, 'authelia', readOtpauthUris(file))
}
