import { hash } from 'node:crypto'

const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Rounds after which others get a turn: this runs where requests are answered. */
const ROUNDS_AT_ONCE = 500

/**
 * The hash of the MD5-based crypt(3), without magic and salt: 22 characters.
 *
 * As in FreeBSD's `crypt-md5.c`; Apache's `$apr1$` differs by its magic alone.
 */
export function md5Crypt(password: Buffer, salt: string, magic: '$1$' | '$apr1$'): string {
  const salted = Buffer.from(salt, 'latin1')
  const digest = (...parts: readonly Uint8Array[]) => hash('md5', Buffer.concat(parts), 'buffer')
  const inner = digest(password, salted, password)
  const first = [password, Buffer.from(magic, 'latin1'), salted, repeated(inner, password.length)]
  for (let bits = password.length; bits > 0; bits >>= 1) {
    // The original meant to add the digest here and adds a zero byte; all others do as it does.
    first.push((bits & 1) === 1 ? Buffer.alloc(1) : password.subarray(0, 1))
  }
  let state = digest(...first)
  for (let round = 0; round < 1000; round++) {
    const isOdd = (round & 1) === 1
    const middle = [...(round % 3 === 0 ? [] : [salted]), ...(round % 7 === 0 ? [] : [password])]
    state = digest(isOdd ? password : state, ...middle, isOdd ? state : password)
  }
  let text = ''
  for (const [high, middle, low] of [
    [0, 6, 12],
    [1, 7, 13],
    [2, 8, 14],
    [3, 9, 15],
    [4, 10, 5],
  ] as const) {
    text += encoded((byteAt(state, high) << 16) | (byteAt(state, middle) << 8) | byteAt(state, low), 4)
  }
  return text + encoded(byteAt(state, 11), 2)
}

/**
 * The hash of the SHA-based crypt(3), without prefix and salt: 43 characters of SHA-256, 86 of SHA-512.
 *
 * Drepper, "Unix crypt using SHA-256 and SHA-512", whose steps the comments name.
 */
export async function shaCrypt(
  password: Buffer,
  { digest: name, salt, rounds }: { digest: 'sha256' | 'sha512'; salt: string; rounds: number },
): Promise<string> {
  const salted = Buffer.from(salt, 'utf8')
  const digest = (...parts: readonly Uint8Array[]) => hash(name, Buffer.concat(parts), 'buffer')
  // 4 to 12.
  const inner = digest(password, salted, password)
  const first = [password, salted, repeated(inner, password.length)]
  for (let bits = password.length; bits > 0; bits >>= 1) first.push((bits & 1) === 1 ? inner : password)
  let state = digest(...first)
  // 13 to 20.
  const p = repeated(digest(...Array<Buffer>(password.length).fill(password)), password.length)
  const s = repeated(digest(...Array<Buffer>(16 + byteAt(state, 0)).fill(salted)), salted.length)
  // 21.
  for (let round = 0; round < rounds; round++) {
    const isOdd = (round & 1) === 1
    const middle = [...(round % 3 === 0 ? [] : [s]), ...(round % 7 === 0 ? [] : [p])]
    state = digest(isOdd ? p : state, ...middle, isOdd ? state : p)
    if (round % ROUNDS_AT_ONCE === ROUNDS_AT_ONCE - 1) await new Promise((resolve) => setImmediate(resolve))
  }
  // 22.
  return name === 'sha256' ? encoded256(state) : encoded512(state)
}

function encoded256(state: Buffer): string {
  let text = ''
  let [high, middle, low] = [0, 10, 20]
  for (let group = 0; group < 10; group++) {
    text += encoded((byteAt(state, high) << 16) | (byteAt(state, middle) << 8) | byteAt(state, low), 4)
    ;[high, middle, low] = [low + 1, high + 1, middle + 1]
  }
  return text + encoded((byteAt(state, 31) << 8) | byteAt(state, 30), 3)
}

function encoded512(state: Buffer): string {
  let text = ''
  let [high, middle, low] = [0, 21, 42]
  for (let group = 0; group < 21; group++) {
    text += encoded((byteAt(state, high) << 16) | (byteAt(state, middle) << 8) | byteAt(state, low), 4)
    ;[high, middle, low] = [middle + 1, low + 1, high + 1]
  }
  return text + encoded(byteAt(state, 63), 2)
}

/** The lowest six bits first, unlike base64. */
function encoded(bits: number, characters: number): string {
  let text = ''
  for (let left = bits, count = 0; count < characters; count++, left >>= 6) text += alphabet.charAt(left & 63)
  return text
}

const byteAt = (bytes: Buffer, index: number): number => bytes.readUInt8(index)

/** The bytes over and over, up to a length. */
function repeated(bytes: Buffer, length: number): Buffer {
  return bytes.length === 0 ? Buffer.alloc(0) : Buffer.alloc(length, bytes)
}
