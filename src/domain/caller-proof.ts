import { hash, timingSafeEqual } from 'node:crypto'

/** Fewest characters of a secret between two programs: 128 bits in base64url take 22. */
export const CALLER_SECRET_MINIMUM = 22

/**
 * The check of the secret by which another program shows that it may ask (SEC-FCGI-5).
 *
 * Compared in constant time and by hashes, so that neither content nor length can be measured.
 *
 * @throws RangeError for a secret so short that it could be guessed: then nobody could be told apart.
 */
export function callerProof(secret: string): (given: string | undefined) => boolean {
  if (secret.length < CALLER_SECRET_MINIMUM) {
    throw new RangeError(`the secret of a caller has at least ${CALLER_SECRET_MINIMUM} characters`)
  }
  const expected = digest(secret)
  return (given) => given !== undefined && timingSafeEqual(digest(given), expected)
}

const digest = (text: string): Buffer => hash('sha256', text, 'buffer')
