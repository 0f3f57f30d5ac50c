import type { Issued } from '../actions/advance-login.ts'
import { findOnly } from '../domain/cookie.ts'
import { parseToken, type Token } from '../domain/token.ts'

/** What the browser may hold: a login under way, a session, the mark of a known browser, and what forms are bound to. */
export type CookieKind = 'login' | 'session' | 'browser' | 'form'

/** Reads and writes the cookies of one origin. */
export interface Cookies {
  /** The token of a cookie; throws when the cookie comes twice. */
  read(header: string | null, kind: CookieKind): Token | undefined
  set(kind: CookieKind, issued: Issued): string
  clear(kind: CookieKind): string
}

/**
 * Cookies named `__Host-…` on https, so that no sibling host and no plain connection can plant one (SEC-SES-4).
 *
 * Session and login last as long as the browser runs; the server decides when they end (SEC-SES-13).
 */
export function cookiesFor(origin: string): Cookies {
  const secure = origin.startsWith('https:')
  const nameOf = (kind: CookieKind) => `${secure ? '__Host-' : ''}watchword-${kind}`
  const names = {
    login: nameOf('login'),
    session: nameOf('session'),
    browser: nameOf('browser'),
    form: nameOf('form'),
  }
  const attributes = `; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
  return {
    read(header, kind) {
      if (header === null) return undefined
      const value = findOnly(header, names[kind])
      return value === undefined ? undefined : parseToken(value)
    },
    set: (kind, { token, lifetime }) =>
      `${names[kind]}=${token}${kind === 'browser' ? `; Max-Age=${lifetime}` : ''}${attributes}`,
    clear: (kind) => `${names[kind]}=; Max-Age=0${attributes}`,
  }
}
