import { createHash } from 'node:crypto'
import { isPasswordTooLong } from './policy.ts'

/** Shortest PIN that is taken, in characters. */
const PIN_MINIMUM = 4

/**
 * The PIN of a token as an imported hash, Django's `sha1$salt$hex`; `undefined` for one of fewer than 4
 * characters, or longer than a password.
 *
 * Ten thousand PINs are tried at once behind any hash that a sign-in can wait for, so it is one that costs
 * nothing and is named as weak. The salt is made of the username: an import draws nothing, and two people
 * with one PIN do not look alike.
 */
export function pinHash(username: string, pin: string): string | undefined {
  if ([...pin].length < PIN_MINIMUM || isPasswordTooLong(pin)) return undefined
  const salt = createHash('sha256').update(username).digest('hex').slice(0, 22)
  const hash = createHash('sha1').update(`${salt}${pin}`).digest('hex')
  return `sha1$${salt}$${hash}`
}
