import { findOnly } from '../domain/cookie.ts'
import type { Seconds } from '../domain/time.ts'
import { parseToken, type Token } from '../domain/token.ts'

/** What a browser holds on a protected host: the mark of its session, and that of a way to our pages and back. */
export interface SiteCookies {
  /** The token of a cookie; throws `AmbiguousCookieError` when it comes twice. */
  read(header: string | undefined, kind: 'site' | 'wait'): Token | undefined
  set(kind: 'site' | 'wait', token: Token): string
  clear(kind: 'wait'): string
}

/** How long the way to our pages and back may take; whoever is slower is sent once more. */
const WAIT_LIFETIME: Seconds = 3600

/** The cookies of one protected host: of that host alone, and unseen by scripts (SEC-SES-4). */
export function siteCookies(host: string): SiteCookies {
  const secure = host.startsWith('https:')
  const nameOf = (kind: 'site' | 'wait') => `${secure ? '__Host-' : ''}watchword-${kind}`
  const attributes = `; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
  return {
    read(header, kind) {
      const value = header === undefined ? undefined : findOnly(header, nameOf(kind))
      return value === undefined ? undefined : parseToken(value)
    },
    set: (kind, token) =>
      `${nameOf(kind)}=${token}${kind === 'wait' ? `; Max-Age=${WAIT_LIFETIME}` : ''}${attributes}`,
    clear: (kind) => `${nameOf(kind)}=; Max-Age=0${attributes}`,
  }
}

/** What is left of a `Cookie` header without any cookie of ours, of this host or of our pages; empty for nothing. */
export function withoutOurCookies(header: string): string {
  const others = header.split(';').filter((pair) => !/^\s*(?:__Host-)?watchword-/i.test(pair))
  return others.join(';').trim()
}
