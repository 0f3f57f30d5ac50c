/**
 * Headers of every answer, errors included (SEC-WEB-1…3, SEC-WEB-5, SEC-WEB-8): an answer of the API is never a
 * page, is never kept, and tells nobody where it was read.
 */
export function securityHeaders(origin: string): Readonly<Record<string, string>> {
  return {
    'cache-control': 'no-store',
    'content-security-policy':
      "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    ...(origin.startsWith('https:') && {
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
    }),
  }
}

/**
 * What a page may load and where its forms may go: its one stylesheet by its hash, files of our own, and nothing else
 * (SEC-WEB-1). Browsers hold redirects after a form to `form-action`, so it names where people may be sent back to.
 */
export function pagePolicy(styleSource: string, returnOrigins: readonly string[]): string {
  const formAction = ["'self'", ...returnOrigins].join(' ')
  return `default-src 'none'; style-src ${styleSource}; script-src 'self'; img-src 'self' data:; form-action ${formAction}; base-uri 'none'; frame-ancestors 'none'`
}

/**
 * The policy of the API documentation: files of our own, requests to nobody but us, and no inline style or script; no
 * form of that page is ever sent (SEC-WEB-1).
 */
export const apiDocsPolicy =
  "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
