import { randomBytes, randomFillSync } from 'node:crypto'
import { TOKEN_BYTES, type Token } from '../domain/token.ts'

/** Bytes from the system's generator (SEC-CRY-3). */
export function entropy(bytes: number): Uint8Array {
  return randomBytes(bytes)
}

/** A new 256-bit token for a browser. */
export function newToken(): Token {
  return randomBytes(TOKEN_BYTES).toString('base64url') as Token
}

let lastMs = 0
let sequence = 0

/**
 * A new identifier: 26 characters of 0-9 and a-v that sort by time of making (48 bits of milliseconds, 16 of sequence
 * within one process, 64 random), so that nodes need no common counter. Not a secret.
 */
export function newId(nowMs: number = Date.now()): string {
  if (nowMs > lastMs) {
    lastMs = nowMs
    sequence = 0
  } else if (sequence < 0xffff) {
    sequence++
  } else {
    // A clock that went back can stand still for longer than a sequence lasts; the order must not begin again.
    lastMs++
    sequence = 0
  }
  const bytes = Buffer.alloc(16)
  bytes.writeUIntBE(lastMs, 0, 6)
  bytes.writeUInt16BE(sequence, 6)
  fillFromPool(bytes, 8)
  return BigInt(`0x${bytes.toString('hex')}`)
    .toString(32)
    .padStart(26, '0')
}

const pool = Buffer.alloc(4096)
let drawn = pool.length

/** Fills the rest of an identifier with random bytes that were drawn many at a time; none is used twice. */
function fillFromPool(bytes: Buffer, from: number): void {
  const wanted = bytes.length - from
  if (drawn + wanted > pool.length) {
    randomFillSync(pool)
    drawn = 0
  }
  pool.copy(bytes, from, drawn, drawn + wanted)
  drawn += wanted
}
