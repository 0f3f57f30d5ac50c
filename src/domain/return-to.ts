/** Longest address to go back to, in characters. */
const LENGTH_MAXIMUM = 2048

/** Where people may be sent after signing in. */
export interface ReturnOrigins {
  /** Our own origin. */
  readonly own: string
  /** Others, each whole: scheme, host and port. */
  readonly others: ReadonlySet<string>
}

/**
 * Reads an address to go back to: a path of our own, or an address on a listed origin; `undefined` for all else
 * (SEC-RED-1).
 *
 * Refuses control characters, backslashes, user information, protocol-relative addresses and whatever the WHATWG
 * parser, which browsers use, reads as another host. What comes out is what that parser printed.
 */
export function parseReturnTo(text: string, { own, others }: ReturnOrigins): string | undefined {
  if (text.length === 0 || text.length > LENGTH_MAXIMUM || /[\p{C}\\\s]/u.test(text)) return undefined
  if (!text.startsWith('/')) return parseForeign(text, others)
  if (text.startsWith('//')) return undefined
  const url = URL.parse(text, own)
  if (url?.origin !== own) return undefined
  const path = url.pathname + url.search + url.hash
  // Dots in the path can leave two slashes at its front, which a browser reads as a host.
  return path.startsWith('//') ? undefined : path
}

function parseForeign(text: string, others: ReadonlySet<string>): string | undefined {
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.password !== '') return undefined
  return others.has(url.origin) && /^https?:$/.test(url.protocol) ? url.href : undefined
}
