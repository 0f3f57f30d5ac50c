/**
 * A password of Django as we keep it: the names that Django puts before what is already a format are dropped.
 *
 * @returns `undefined` for an unusable password (`!…`) and for none; anything else as it stands.
 */
export function djangoHash(encoded: string): string | undefined {
  if (encoded === '' || encoded.startsWith('!')) return undefined
  const [, inner] = /^(?:argon2(?=\$argon2)|bcrypt\$(?=\$2))(.+)$/s.exec(encoded) ?? []
  if (inner !== undefined) return inner
  // Django writes MD5 without salt as the digest alone.
  return /^[0-9a-f]{32}$/.test(encoded) ? `md5$$${encoded}` : encoded
}
