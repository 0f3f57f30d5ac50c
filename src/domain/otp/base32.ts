import { withoutSeparators } from './code.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** `bytes` in base32, upper case and without padding (RFC 4648 §6, §3.2). */
export function encodeBase32(bytes: Uint8Array): string {
  let text = ''
  let pending = 0
  let bits = 0
  for (const byte of bytes) {
    pending = (pending << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += alphabet.charAt(pending >> bits)
      pending &= (1 << bits) - 1
    }
  }
  return bits === 0 ? text : text + alphabet.charAt(pending << (5 - bits))
}

/**
 * The bytes of base32 text as people paste it: either case, ASCII spaces and hyphens anywhere, with or without
 * its padding (RFC 4648 §6).
 *
 * Each value has one reading: a number of `=` other than the right one, a length no bytes encode to, and left
 * over bits that are not zero are refused (RFC 4648 §3.5), as these are signs of a mistyped or cut key.
 *
 * @returns the bytes, none for an empty text, or `undefined` when refused.
 */
export function decodeBase32(text: string): Uint8Array | undefined {
  const compact = withoutSeparators(text)
  // The alphabet is checked before the case is changed: 'ı' and 'ſ' become ASCII letters in upper case.
  if (!/^[A-Za-z2-7]*=*$/.test(compact)) return undefined
  const symbols = compact.replace(/=+$/, '').toUpperCase()
  const padding = compact.length - symbols.length
  if (padding !== 0 && padding !== 8 * Math.ceil(symbols.length / 8) - symbols.length) return undefined

  const bytes = new Uint8Array(Math.floor((symbols.length * 5) / 8))
  let length = 0
  let pending = 0
  let bits = 0
  for (const symbol of symbols) {
    pending = (pending << 5) | alphabet.indexOf(symbol)
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[length++] = pending >> bits
    pending &= (1 << bits) - 1
  }
  // Five bits or more left over are a whole symbol that stands for nothing.
  return bits < 5 && pending === 0 ? bytes : undefined
}
