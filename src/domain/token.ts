import { hash, timingSafeEqual } from 'node:crypto'

declare const token: unique symbol
declare const tokenHash: unique symbol

/** A secret that a browser holds: 256 random bits in base64url, 43 characters (SEC-SES-2). */
export type Token = string & { readonly [token]: true }

/** What the store keeps of a token: its SHA-256 in base64url. */
export type TokenHash = string & { readonly [tokenHash]: true }

/** Bytes of entropy in a token. */
export const TOKEN_BYTES = 32

const shape = /^[A-Za-z0-9_-]{43}$/

/** Reads a token that a client sent; anything of another shape is no token, and costs no look-up. */
export function parseToken(text: string): Token | undefined {
  return shape.test(text) ? (text as Token) : undefined
}

/** Reads the hash of a token that a client sent. */
export function parseTokenHash(text: string): TokenHash | undefined {
  return shape.test(text) ? (text as TokenHash) : undefined
}

/** The token's SHA-256: a store that leaks lets nobody in (SEC-SES-2). */
export function hashToken(value: Token): TokenHash {
  return hash('sha256', value, 'base64url') as TokenHash
}

/** What a form carries to show that it comes from a page we gave to this browser: bound to the token of its cookie. */
export function formKeyOf(value: Token): string {
  return hash('sha256', `form ${value}`, 'base64url')
}

/** Whether what came with a form is its key. */
export function isFormKey(given: string, value: Token): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(formKeyOf(value))]
  return a.length === b.length && timingSafeEqual(a, b)
}
