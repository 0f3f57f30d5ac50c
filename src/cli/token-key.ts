import { decodeBase32 } from '../domain/otp/base32.ts'
import { UsageError } from './exit-code.ts'
import { isInteractive, readSecretLine } from './secret-input.ts'

/** How the key of a token may be written. */
export const keyEncodings = ['base32', 'hex'] as const
export type KeyEncoding = (typeof keyEncodings)[number]

/** HMAC hashes longer keys down (RFC 2104 §2); one that long is a mistake. */
const LONGEST_BYTES = 128

/** The key of a token, from standard input or typed where nobody sees it. */
export async function readTokenKey(options: {
  readonly keyStdin?: true
  readonly key?: string | true
  readonly encoding: KeyEncoding
}): Promise<Uint8Array> {
  if (options.key !== undefined) {
    throw new UsageError(
      'Every process of the machine can read what is on a command line. Use --key-stdin, or leave the key out to be asked.',
    )
  }
  const decode = (text: string) => decodeKey(text, options.encoding)
  const text = options.keyStdin
    ? await readSecretLine('key', '--key-stdin')
    : await askKey(decode, options.encoding)
  const key = decode(text)
  if (key === undefined) throw new UsageError(notWritten(options.encoding))
  return key
}

async function askKey(
  decode: (text: string) => Uint8Array | undefined,
  encoding: KeyEncoding,
): Promise<string> {
  if (!isInteractive()) throw new UsageError('There is no terminal to ask for the key. Use --key-stdin.')
  const { askSecret } = await import('./prompts.ts')
  return askSecret(`Key of the token (${encoding})`, (answer) =>
    decode(answer) === undefined ? notWritten(encoding) : undefined,
  )
}

function decodeKey(text: string, encoding: KeyEncoding): Uint8Array | undefined {
  const key = encoding === 'hex' ? decodeHex(text) : decodeBase32(text.trim())
  return key === undefined || key.length === 0 || key.length > LONGEST_BYTES ? undefined : key
}

/** Bytes of hexadecimal digits in either case; labels on tokens group them with spaces, hyphens or colons. */
function decodeHex(text: string): Uint8Array | undefined {
  const digits = text.replaceAll(/[ :-]/g, '')
  return /^(?:[0-9a-f]{2})+$/i.test(digits) ? Buffer.from(digits, 'hex') : undefined
}

const notWritten = (encoding: KeyEncoding) =>
  `The key is not written in ${encoding}, or is cut. Copy the whole of it, or say --encoding ${encoding === 'hex' ? 'base32' : 'hex'}.`
