import type { Command } from 'commander'
import { readModAuthnOtp } from '../../../sources/mod-authn-otp.ts'
import { addImportOptions, runImportCommand } from '../../import-command.ts'
import { examples, type Handler } from '../../invocation.ts'

/** `watchword import mod-authn-otp` */
export function declareImportModAuthnOtp(command: Command): Handler {
  command
    .argument('<file>')
    .option('--pins', 'let the PIN be the password beside the token, until the first sign-in replaces it')
  addImportOptions(command)
  examples(command, 'watchword import mod-authn-otp /etc/apache2/otp.users --dry-run')
  return ({ args: [file = ''], configFile }) => {
    const { pins = false } = command.opts<{ pins?: true }>()
    return runImportCommand(command, configFile, 'mod-authn-otp', readModAuthnOtp(file, { pins }))
  }
}
