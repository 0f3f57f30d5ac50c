import type { Command } from 'commander'
import { problemOf } from '../actions/change-password.ts'
import { explainPassword } from '../domain/password/policy.ts'
import type { Services } from '../services.ts'
import { addForbidden } from './arguments.ts'
import { UsageError } from './exit-code.ts'
import { isInteractive, readSecretLine } from './secret-input.ts'

/** What the options say about where a password comes from. */
export interface PasswordOptions {
  readonly passwordStdin?: true
  /** `false` for `--no-password`; anything else was given where everybody can read it. */
  readonly password?: string | boolean
}

/** Whom the password is for; what it may not be depends on it. */
export type PasswordOwner = Parameters<typeof problemOf>[1]

/** Gives the password once it is needed: read already, or typed then. */
export type PasswordSource = (services: Services, owner: PasswordOwner) => Promise<string>

/** Adds the options by which a command gets a password. */
export function addPasswordOptions(command: Command): void {
  command.option('--password-stdin', 'read the password from standard input, one line')
  addForbidden(command, '--password')
}

/** Reads the password from standard input, or makes sure that somebody is there to be asked. */
export async function passwordSource(options: PasswordOptions): Promise<PasswordSource> {
  if (options.password !== undefined) {
    throw new UsageError(
      'Every process of the machine can read what is on a command line. Use --password-stdin, or leave the password out to be asked.',
    )
  }
  if (options.passwordStdin) {
    const password = await readSecretLine('password', '--password-stdin')
    return async () => password
  }
  if (!isInteractive()) {
    throw new UsageError('There is no terminal to ask for the password. Use --password-stdin.')
  }
  return async (services, owner) => {
    const { askSecretTwice } = await import('./prompts.ts')
    return askSecretTwice('Password', (answer) => {
      const problem = problemOf(services, owner, answer)
      return problem && explainPassword(problem)
    })
  }
}
