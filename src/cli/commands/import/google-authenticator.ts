import type { Command } from 'commander'
import { readGoogleAuthenticator } from '../../../sources/google-authenticator.ts'
import { addImportOptions, runImportCommand } from '../../import-command.ts'
import { examples, type Handler } from '../../invocation.ts'

/** `watchword import google-authenticator` */
export function declareImportGoogleAuthenticator(command: Command): Handler {
  command.argument(
    '<folder>',
    'home folders with a .google_authenticator each, or such files named after users',
  )
  addImportOptions(command)
  examples(command, 'watchword import google-authenticator /home --dry-run')
  return ({ args: [folder = ''], configFile }) =>
    runImportCommand(command, configFile, 'google-authenticator', readGoogleAuthenticator(folder))
}
