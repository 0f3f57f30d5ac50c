import { createHmac } from 'node:crypto'
import { equalCodes } from './code.ts'

/** Hash under the HMAC; RFC 4226 has SHA-1 only, the others come from RFC 6238 §1.2. */
export type OtpAlgorithm = 'sha1' | 'sha256' | 'sha512'

/** What the server and the token must agree on beside the key. */
export interface OtpParameters {
  readonly algorithm: OtpAlgorithm
  /** Decimal digits in a code. */
  readonly digits: 6 | 8
}

/**
 * The code for one counter value, leading zeros kept (RFC 4226 §5.3; SEC-OTP-10).
 *
 * `counter` is 0 to 2^53-1 and is hashed as 64 bits, big-endian.
 *
 * @throws RangeError for any other counter.
 */
export function hotpCode(key: Uint8Array, counter: number, { algorithm, digits }: OtpParameters): string {
  if (!Number.isSafeInteger(counter) || counter < 0) throw new RangeError('counter is not from 0 to 2^53-1')
  const message = Buffer.alloc(8)
  message.writeBigUInt64BE(BigInt(counter))
  const mac = createHmac(algorithm, key).update(message).digest()
  const offset = mac.readUInt8(mac.length - 1) & 0x0f
  const truncated = mac.readUInt32BE(offset) & 0x7fffffff
  return String(truncated % 10 ** digits).padStart(digits, '0')
}

/**
 * Finds the counter that `code` belongs to, from `counter` (the next one expected) to `counter + lookAhead`
 * (RFC 4226 §7.4; SEC-OTP-13).
 *
 * All candidates are computed and compared, whichever matches (SEC-OTP-11). Should the code be that of two
 * counters, the higher is taken: with the lower, the same text would be accepted once more. The price is that
 * a token really at the lower one has a few codes refused until it passes the higher, about once in 200,000
 * sign-ins with a look-ahead of 5.
 *
 * @returns the matched counter, for the caller to store one more than it, or `undefined` if none matches.
 */
export function findCounter(
  code: string,
  key: Uint8Array,
  parameters: OtpParameters,
  { counter, lookAhead }: { readonly counter: number; readonly lookAhead: number },
): number | undefined {
  const last = Math.min(counter + lookAhead, Number.MAX_SAFE_INTEGER)
  let found: number | undefined
  for (let candidate = counter; candidate <= last; candidate++) {
    if (equalCodes(hotpCode(key, candidate, parameters), code)) found = candidate
  }
  return found
}

/**
 * Finds where a token that ran far ahead now stands, from two codes of it in a row (RFC 4226 §7.4; SEC-OTP-13).
 *
 * The first code is looked for from `counter` to `counter + within`, the second right after it. Work and ties
 * are as in `findCounter`.
 *
 * @returns the counter of the *second* code, for the caller to store one more than it, or `undefined`.
 */
export function findCounterPair(
  codes: readonly [string, string],
  key: Uint8Array,
  parameters: OtpParameters,
  { counter, within }: { readonly counter: number; readonly within: number },
): number | undefined {
  const last = Math.min(counter + within + 1, Number.MAX_SAFE_INTEGER)
  let found: number | undefined
  let previousIsFirst = false
  for (let candidate = counter; candidate <= last; candidate++) {
    const expected = hotpCode(key, candidate, parameters)
    const isFirst = equalCodes(expected, codes[0])
    const isSecond = equalCodes(expected, codes[1])
    if (previousIsFirst && isSecond) found = candidate
    previousIsFirst = isFirst
  }
  return found
}
