import { timingSafeEqual } from 'node:crypto'

/**
 * The one spelling of a typed one-time code, to be made before anything else looks at it (SEC-OTP-5).
 *
 * ASCII spaces and hyphens are dropped, since authenticators show codes in groups and people copy the groups.
 * What is left must be ASCII digits: 6 or 8 for a code, 12 or 16 for two HOTP codes typed one after the other.
 *
 * @returns the digits, leading zeros kept, or `undefined` for any other text.
 */
export function canonicalCode(text: string): string | undefined {
  const digits = withoutSeparators(text)
  return /^(?:[0-9]{6}|[0-9]{8}|[0-9]{12}|[0-9]{16})$/.test(digits) ? digits : undefined
}

/**
 * `text` without the two characters people group codes with: U+0020 and U+002D.
 *
 * Every reader of typed codes uses this one, so that none can see a text the other would not (SEC-REC-4).
 */
export function withoutSeparators(text: string): string {
  return text.replaceAll(/[ -]/g, '')
}

/**
 * Whether two codes are the same, in a time that does not tell how much of them is (SEC-OTP-11).
 *
 * Codes of different length differ; that may show in the time, as the length of our codes is no secret.
 */
export function equalCodes(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}
