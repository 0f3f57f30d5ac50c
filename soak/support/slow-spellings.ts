/** What `canonicalCode` says, one character after the other. */
export function slowCode(text: string): string | undefined {
  let digits = ''
  for (const character of text) {
    if (character === ' ' || character === '-') continue
    if (character < '0' || character > '9' || character.length !== 1) return undefined
    digits += character
  }
  return [6, 8, 12, 16].includes(digits.length) ? digits : undefined
}

/** What `parseRecoveryCode` says, one character after the other. */
export function slowRecoveryCode(text: string): { index: number; secret: string } | undefined {
  const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
  let read = ''
  for (const character of text) {
    if (character === ' ' || character === '-') continue
    const point = character.codePointAt(0) ?? 0
    const isSmall = point >= 0x61 && point <= 0x7a
    const large = isSmall ? String.fromCodePoint(point - 0x20) : character
    const meant = large === 'O' ? '0' : large === 'I' || large === 'L' ? '1' : large
    if (meant.length !== 1 || !alphabet.includes(meant)) return undefined
    read += meant
  }
  const index = '0123456789'.indexOf(read.charAt(0))
  return read.length === 17 && index >= 0 ? { index, secret: read.slice(1) } : undefined
}

/** What `normalizeUsername` says, one code point after the other, as often as it takes. */
export function slowUsername(typed: string): string {
  let form = typed
  for (let round = 0; round < 100; round++) {
    const next = folded(form.normalize('NFKD'))
    if (next === form) return form
    form = next
  }
  throw new Error('A name has no form that stays as it is.')
}

function folded(text: string): string {
  const upper = [...text].map((character) => character.toUpperCase()).join('')
  const lower = [...upper].map((character) => character.toLowerCase()).join('')
  const plain = [...lower].map((character) => ({ ς: 'σ', ı: 'i' })[character] ?? character).join('')
  let out = ''
  let isOverDotted = false
  for (const character of plain.normalize('NFD')) {
    if (!/\p{M}/u.test(character)) isOverDotted = /\p{Soft_Dotted}/u.test(character)
    if (!(isOverDotted && character === '\u0307')) out += character
  }
  return out.normalize('NFKC')
}
