import { isIP } from 'node:net'

/**
 * What a request to a protected place is judged by; `undefined` where it did not come or is not what it should be.
 *
 * Only what the proxy says itself and what is the browser's own business: no header of a client that names a user, an
 * address, a host or a path is read, however it is spelled (SEC-FCGI-4).
 */
export interface AuthorizerRequest {
  /** Named by the configuration of the proxy where the request belongs, and never by a client. */
  readonly policy: string | undefined
  /** Of the peer of the proxy. */
  readonly clientAddress: string | undefined
  readonly method: string | undefined
  readonly scheme: 'http' | 'https' | undefined
  /** The `Host` header, with a port: the client's word, to be looked up among known hosts and never believed. */
  readonly host: string | undefined
  /** The target as the client wrote it. To come back to, and never to decide on: the proxy matched another spelling. */
  readonly requestUri: string | undefined
  /** The whole `Cookie` header. */
  readonly cookie: string | undefined
  readonly authorization: Authorization | undefined
  readonly accept: string | undefined
  readonly fetchMode: string | undefined
  /** `X-Requested-With`, by which scripts say that they are none of a page's navigation. */
  readonly requestedWith: string | undefined
}

/** What the client shows of itself (RFC 9110 §11.6.2). */
export type Authorization =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string }
  /** Another scheme, or one that cannot be read: credentials, but none that open anything. */
  | { readonly kind: 'unreadable' }

/** The fields of a request as a proxy sent them, one character a byte. */
export type RawRequest = {
  readonly [Field in Exclude<keyof AuthorizerRequest, 'authorization'>]: string | undefined
} & { readonly authorization: Authorization | undefined }

/** Takes of each field what has the shape that it should have. */
export function readRequest(raw: RawRequest): AuthorizerRequest {
  const { scheme, clientAddress } = raw
  return {
    policy: shaped(raw.policy, /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
    clientAddress: clientAddress !== undefined && isIP(clientAddress) !== 0 ? clientAddress : undefined,
    method: shaped(raw.method, /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/),
    scheme: scheme === 'http' || scheme === 'https' ? scheme : undefined,
    host: shaped(raw.host, /^[A-Za-z0-9.:[\]_-]{1,261}$/),
    requestUri: shaped(raw.requestUri, visible),
    cookie: shaped(raw.cookie, visible),
    authorization: raw.authorization,
    accept: shaped(raw.accept, visible),
    fetchMode: shaped(raw.fetchMode, /^[a-z-]{1,32}$/),
    requestedWith: shaped(raw.requestedWith, /^[ -~]{1,64}$/),
  }
}

/** A header value: no control characters but tab (RFC 9110 §5.5); any byte from 128. */
export const visible = /^[\t -~\x80-\xff]+$/

/** The value if it has the shape. */
export const shaped = (value: string | undefined, shape: RegExp): string | undefined =>
  value !== undefined && shape.test(value) ? value : undefined

/** Reads an `Authorization` header. */
export function readAuthorization(header: string): Authorization {
  const [, scheme = '', token = ''] = /^([A-Za-z]+) +([A-Za-z0-9._~+/-]{1,8192}={0,2})$/.exec(header) ?? []
  if (scheme.toLowerCase() === 'bearer') return { kind: 'bearer', token }
  if (scheme.toLowerCase() !== 'basic') return { kind: 'unreadable' }
  const bytes = Buffer.from(token, 'base64')
  // What decodes to the same bytes in two spellings is taken in one, the proper one (RFC 4648 §3.5).
  if (bytes.toString('base64') !== token) return { kind: 'unreadable' }
  const colon = bytes.indexOf(0x3a)
  return colon < 0 ? { kind: 'unreadable' } : readBasic(bytes.subarray(0, colon), bytes.subarray(colon + 1))
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Name and password in UTF-8 without control characters (RFC 7617 §2, §2.1). */
export function readBasic(name: Uint8Array, secret: Uint8Array): Authorization {
  try {
    const [username, password] = [utf8.decode(name), utf8.decode(secret)]
    return /\p{Cc}/u.test(username + password)
      ? { kind: 'unreadable' }
      : { kind: 'basic', username, password }
  } catch {
    // Not UTF-8: such a name or password was never made here, so it opens nothing.
    return { kind: 'unreadable' }
  }
}
