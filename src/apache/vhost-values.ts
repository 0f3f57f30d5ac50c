/** A site that cannot be written down safely; the message says what to write instead. */
export class VhostError extends Error {
  override readonly name = 'VhostError'
}

/** A DNS name in ASCII, in small letters (RFC 1123 §2.1); an IPv4 address passes too. */
export function serverName(given: string): string {
  const name = given.toLowerCase()
  const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
  if (name.length <= 253 && new RegExp(`^${label}(?:\\.${label})*$`).test(name)) return name
  throw new VhostError(
    `serverName ${shown(given)} is not a host name: write it like auth.example.com, without scheme, port or path, and a name in other letters in its xn-- form`,
  )
}

/** A port, 1 to 65535. */
export function portNumber(setting: string, port: number): number {
  if (Number.isInteger(port) && port >= 1 && port <= 65535) return port
  throw new VhostError(`${setting} is ${shown(String(port))}: write a whole number from 1 to 65535`)
}

/** `${` and `%{` are expanded by Apache, `*?[]` are patterns in a section, `\` and `"` end the quoting. */
const unsafeInPathname = /[\p{C}\p{Zl}\p{Zp}"'\\<>|*?[\]]|[$%]\{/u

/** An absolute path that stays as it is between Apache's quotes. */
export function pathname(setting: string, path: string): string {
  if (!path.startsWith('/'))
    throw new VhostError(`${setting} ${shown(path)}: write a path that begins with /`)
  if (unsafeInPathname.test(path)) {
    throw new VhostError(
      `${setting} ${shown(path)}: write a path without control characters, quotes, backslashes, < > | * ? [ ] and without \${ or %{`,
    )
  }
  if (path.split('/').some((part) => part === '..' || part === '.') || path.includes('//')) {
    throw new VhostError(`${setting} ${shown(path)}: write the path without . and .. and //`)
  }
  return path
}

/** A refused value for a message: visible, on one line, and not endless. */
export const shown = (value: string): string =>
  JSON.stringify(value.slice(0, 80)).replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (sign) => `U+${sign.codePointAt(0)?.toString(16)}`,
  )
