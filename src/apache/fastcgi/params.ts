import { isIP } from 'node:net'

/**
 * What a request is judged by; `undefined` where it did not come or is not what it should be.
 *
 * Only what Apache says itself and what is the browser's own business: no header that names a user, an address, a
 * host or a path is read, however it is spelled (SEC-FCGI-4).
 */
export interface AuthorizerParams {
  /** `WW_POLICY`, set by Apache's configuration where the request belongs; no header of a client is called so. */
  readonly policy: string | undefined
  /** `REMOTE_ADDR`: the peer of Apache, or what mod_remoteip made of it. */
  readonly clientAddress: string | undefined
  readonly method: string | undefined
  readonly scheme: 'http' | 'https' | undefined
  /** `SERVER_NAME`: of the virtual host; the client's word too where `UseCanonicalName` is off. */
  readonly serverName: string | undefined
  /** The `Host` header, with a port: the client's word, to be looked up among known hosts and never believed. */
  readonly host: string | undefined
  /** The target as the client wrote it. To come back to, and never to decide on: Apache matched another spelling. */
  readonly requestUri: string | undefined
  /** The whole `Cookie` header. */
  readonly cookie: string | undefined
  readonly authorization: Authorization | undefined
  readonly accept: string | undefined
  readonly fetchMode: string | undefined
  readonly fetchDest: string | undefined
  readonly fetchSite: string | undefined
  /** `X-Requested-With`, by which scripts say that they are none of a page's navigation. */
  readonly requestedWith: string | undefined
}

/** What the client shows of itself (RFC 9110 §11.6.2); present only with `CGIPassAuth On` or under Basic. */
export type Authorization =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string }
  /** Another scheme, or one that cannot be read: credentials, but none that open anything. */
  | { readonly kind: 'unreadable' }

/** Reads what a request is judged by out of its parameters, one character a byte. */
export function readParams(params: ReadonlyMap<string, string>): AuthorizerParams {
  const scheme = params.get('REQUEST_SCHEME')
  const address = params.get('REMOTE_ADDR')
  return {
    policy: shaped(params.get('WW_POLICY'), /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
    clientAddress: address !== undefined && isIP(address) !== 0 ? address : undefined,
    method: shaped(params.get('REQUEST_METHOD'), /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/),
    scheme: scheme === 'http' || scheme === 'https' ? scheme : undefined,
    serverName: shaped(params.get('SERVER_NAME'), /^[A-Za-z0-9.:[\]_-]{1,255}$/),
    host: shaped(params.get('HTTP_HOST'), /^[A-Za-z0-9.:[\]_-]{1,261}$/),
    requestUri: shaped(params.get('REQUEST_URI'), visible),
    cookie: shaped(params.get('HTTP_COOKIE'), visible),
    authorization: authorizationOf(params),
    accept: shaped(params.get('HTTP_ACCEPT'), visible),
    fetchMode: shaped(params.get('HTTP_SEC_FETCH_MODE'), word),
    fetchDest: shaped(params.get('HTTP_SEC_FETCH_DEST'), word),
    fetchSite: shaped(params.get('HTTP_SEC_FETCH_SITE'), word),
    requestedWith: shaped(params.get('HTTP_X_REQUESTED_WITH'), /^[ -~]{1,64}$/),
  }
}

/** The secret by which Apache shows that it is the one who asks; kept apart, for no handler needs it. */
export const callerSecretOf = (params: ReadonlyMap<string, string>): string | undefined =>
  params.get('WW_SECRET')

/** No control characters but tab, which header values may have (RFC 9110 §5.5); any byte from 128. */
const visible = /^[\t -~\x80-\xff]+$/

const word = /^[a-z-]{1,32}$/

const shaped = (value: string | undefined, shape: RegExp): string | undefined =>
  value !== undefined && shape.test(value) ? value : undefined

/**
 * Credentials: of the header where it comes, else those that Apache took out of it under `AuthType Basic`.
 *
 * `REMOTE_USER` alone is nobody's proof: configuration may set it.
 */
function authorizationOf(params: ReadonlyMap<string, string>): Authorization | undefined {
  const header = params.get('HTTP_AUTHORIZATION')
  if (header !== undefined) return readAuthorization(header)
  const [username, password] = [params.get('REMOTE_USER'), params.get('REMOTE_PASSWD')]
  if (username === undefined || password === undefined) return undefined
  return basic(Buffer.from(username, 'latin1'), Buffer.from(password, 'latin1'))
}

function readAuthorization(header: string): Authorization {
  const [, scheme = '', token = ''] = /^([A-Za-z]+) +([A-Za-z0-9._~+/-]{1,8192}={0,2})$/.exec(header) ?? []
  if (scheme.toLowerCase() === 'bearer') return { kind: 'bearer', token }
  if (scheme.toLowerCase() !== 'basic') return { kind: 'unreadable' }
  const bytes = Buffer.from(token, 'base64')
  // What decodes to the same bytes in two spellings is taken in one, the proper one (RFC 4648 §3.5).
  if (bytes.toString('base64') !== token) return { kind: 'unreadable' }
  const colon = bytes.indexOf(0x3a)
  return colon < 0 ? { kind: 'unreadable' } : basic(bytes.subarray(0, colon), bytes.subarray(colon + 1))
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Name and password in UTF-8 without control characters (RFC 7617 §2, §2.1). */
function basic(name: Uint8Array, secret: Uint8Array): Authorization {
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
