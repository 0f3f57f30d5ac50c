import { Refusal, UsageError } from './exit-code.ts'

/** More than any password or key has; what is longer is not one. */
const LONGEST_BYTES = 16_384

/** Whether a person sits there: both ends of the terminal are ours. */
export function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true
}

/** Reads the one line of standard input that is a secret; its line feed is not part of it. */
export async function readSecretLine(what: string, option: string): Promise<string> {
  if (process.stdin.isTTY) {
    throw new UsageError(
      `${option} reads from a pipe or a file, and this is a terminal. Leave it out to be asked.`,
    )
  }
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer) // No encoding is set on the stream, so it gives buffers.
    size += (chunk as Buffer).length
    if (size > LONGEST_BYTES)
      throw new UsageError(`Standard input is too long for a ${what}. Write one line.`)
  }
  const line = decoded(Buffer.concat(chunks), what).replace(/\r?\n$/, '')
  if (line === '') throw new UsageError(`Standard input holds no ${what}. Write it there on one line.`)
  if (/[\r\n]/.test(line)) throw new UsageError(`Standard input holds more than a ${what}. Write one line.`)
  return line
}

function decoded(bytes: Buffer, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    // Nothing of the text is told, for it is meant to be a secret.
    throw new UsageError(`The ${what} on standard input is not UTF-8. Write it in UTF-8.`)
  }
}

/** Ends a command because the person at the terminal wishes so. */
export function cancelled(): Refusal {
  return new Refusal('Cancelled; nothing was changed.')
}
