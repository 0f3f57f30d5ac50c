import { PASSPHRASE_MINIMUM } from '../crypto/passphrase.ts'
import { UsageError } from './exit-code.ts'
import { isInteractive, readSecretLine } from './secret-input.ts'

const tooShort = (text: string) =>
  [...text].length < PASSPHRASE_MINIMUM
    ? `Use at least ${PASSPHRASE_MINIMUM} characters: who has the file can try as long as they like.`
    : undefined

/** A new passphrase, from standard input or typed twice. */
export async function newPassphrase(fromStdin: boolean, what: string): Promise<string> {
  if (!fromStdin)
    return asked(async ({ askSecretTwice }) => askSecretTwice(`Passphrase for ${what}`, tooShort))
  const passphrase = await readSecretLine('passphrase', '--passphrase-stdin')
  const problem = tooShort(passphrase)
  if (problem !== undefined) throw new UsageError(problem)
  return passphrase
}

/** A passphrase that was chosen before. */
export async function knownPassphrase(fromStdin: boolean, what: string): Promise<string> {
  if (!fromStdin) return asked(async ({ askSecret }) => askSecret(`Passphrase of ${what}`, () => undefined))
  return readSecretLine('passphrase', '--passphrase-stdin')
}

async function asked(ask: (prompts: typeof import('./prompts.ts')) => Promise<string>): Promise<string> {
  if (!isInteractive()) {
    throw new UsageError('There is no terminal to ask for the passphrase. Use --passphrase-stdin.')
  }
  return ask(await import('./prompts.ts'))
}
