/** Two cookies of one name came: which is meant cannot be known, so none is believed (SEC-SES-14). */
export class AmbiguousCookieError extends Error {
  override readonly name = 'AmbiguousCookieError'
}

/** The only value of a cookie of a `Cookie` header; throws `AmbiguousCookieError` when it comes twice. */
export function findOnly(header: string, name: string): string | undefined {
  let found: string | undefined
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=')
    if (equals < 0 || pair.slice(0, equals).trim() !== name) continue
    if (found !== undefined) throw new AmbiguousCookieError('A cookie came twice.')
    found = pair.slice(equals + 1).trim()
  }
  return found
}
