import { withoutSeparators } from './code.ts'

/** How many recovery codes a set has (SEC-REC-1); their indexes are 0 to 9. */
export const RECOVERY_CODE_COUNT = 10

/** One recovery code in canonical form. */
export interface RecoveryCode {
  /** Place in the set, 0 to 9: says which hash to check, so that an attempt costs one hash (SEC-REC-2). */
  readonly index: number
  /** 16 characters of the alphabet below: 80 bits. Only ever stored hashed. */
  readonly secret: string
}

/** Crockford's 32: no I, L, O, that look like digits, and no U, that makes words. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

const entropyBytes = 10

/**
 * The recovery code for 10 bytes of randomness, which the caller draws (SEC-REC-1).
 *
 * @throws RangeError when `index` is not from 0 to 9 or `entropy` not of 10 bytes.
 */
export function recoveryCodeFrom(index: number, entropy: Uint8Array): RecoveryCode {
  if (!Number.isInteger(index) || index < 0 || index >= RECOVERY_CODE_COUNT) {
    throw new RangeError('index of a recovery code is not from 0 to 9')
  }
  if (entropy.length !== entropyBytes) throw new RangeError('a recovery code needs 10 bytes of entropy')
  let number = 0n
  for (const byte of entropy) number = (number << 8n) | BigInt(byte)
  let secret = ''
  for (let shift = 75n; shift >= 0n; shift -= 5n) secret += alphabet.charAt(Number((number >> shift) & 31n))
  return { index, secret }
}

/** The code as it is shown and printed, like `3-ABCD-EFGH-JKMN-PQRS`. */
export function formatRecoveryCode({ index, secret }: RecoveryCode): string {
  return [index, ...(secret.match(/.{4}/g) ?? [])].join('-')
}

/**
 * Reads a recovery code as people type it: either case, ASCII spaces and hyphens anywhere, O for 0, and I or L
 * for 1 (SEC-REC-4).
 *
 * It always has 17 characters, so no text is both this and a one-time code (see `canonicalCode`).
 *
 * @returns the canonical code, or `undefined` for any other text.
 */
export function parseRecoveryCode(text: string): RecoveryCode | undefined {
  const compact = withoutSeparators(text)
  // Checked before the case is changed: 'ı' and 'ſ' become ASCII letters in upper case.
  if (!/^[0-9A-Za-z]{17}$/.test(compact)) return undefined
  const canonical = compact.toUpperCase().replaceAll('O', '0').replaceAll(/[IL]/g, '1')
  if (!/^[0-9][0-9A-HJKMNP-TV-Z]{16}$/.test(canonical)) return undefined
  return { index: Number(canonical.charAt(0)), secret: canonical.slice(1) }
}
