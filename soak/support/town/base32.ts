const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** The bytes of base32 without padding (RFC 4648 §6), read here so that the program does not judge itself. */
export function parseBase32(text: string): Uint8Array {
  const bytes: number[] = []
  let bits = 0
  let held = 0
  for (const letter of text) {
    const value = letters.indexOf(letter)
    if (value < 0) throw new Error('This is no base32.')
    held = ((held << 5) | value) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((held >> bits) & 0xff)
  }
  return Uint8Array.from(bytes)
}
