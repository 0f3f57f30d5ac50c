const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Whether a request that changes something comes from another site's page (SEC-CSRF-1, SEC-AUTH-18).
 *
 * Browsers say where a request comes from by `Sec-Fetch-Site` and `Origin`; whatever they say must be us. A program
 * that is no browser sends neither and carries nobody's cookies by itself. The forms of a page that tells nobody where
 * it was read come with the origin `null` (Fetch, "append a request `Origin` header"): there `Sec-Fetch-Site` decides,
 * and the key that `hasFormKey` promises.
 */
export function isCrossSite(
  { method, headers }: { readonly method: string; readonly headers: Headers },
  origins: ReadonlySet<string>,
  { hasFormKey }: { readonly hasFormKey: boolean },
): boolean {
  if (safeMethods.has(method)) return false
  const origin = headers.get('origin')
  if (isCausedElsewhere(headers)) return true
  if (origin === 'null') return !hasFormKey
  return origin !== null && !origins.has(origin)
}

/** Whether the page of another site caused a request, say by a link, as far as the browser tells. */
export function isCausedElsewhere(headers: Headers): boolean {
  const site = headers.get('sec-fetch-site')
  return site !== null && site !== 'same-origin' && site !== 'none'
}

/** The origins that are us: the configured one, and for a loopback origin its other names on the same port. */
export function ownOrigins(origin: string): ReadonlySet<string> {
  const url = new URL(origin)
  const loopback = ['localhost', '127.0.0.1', '[::1]']
  if (!loopback.includes(url.hostname)) return new Set([origin])
  return new Set(loopback.map((host) => `${url.protocol}//${host}${url.port === '' ? '' : `:${url.port}`}`))
}
