import {
  type Authorization,
  type AuthorizerRequest,
  readAuthorization,
  readBasic,
  readRequest,
  shaped,
} from '../../authorizer/request.ts'

/**
 * A request as Apache describes it.
 *
 * The policy is `WW_POLICY`, set by Apache's configuration where the request belongs: no header of a client is called
 * so. The address is `REMOTE_ADDR`, the peer of Apache or what mod_remoteip made of it.
 */
export interface AuthorizerParams extends AuthorizerRequest {
  /** `SERVER_NAME`: of the virtual host; the client's word too where `UseCanonicalName` is off. */
  readonly serverName: string | undefined
  readonly fetchDest: string | undefined
  readonly fetchSite: string | undefined
  /** What `%{TIME}` was, where Apache can admit by leases. */
  readonly time: string | undefined
}

/** Reads what a request is judged by out of its parameters, one character a byte. */
export function readParams(params: ReadonlyMap<string, string>): AuthorizerParams {
  return {
    ...readRequest({
      policy: params.get('WW_POLICY'),
      clientAddress: params.get('REMOTE_ADDR'),
      method: params.get('REQUEST_METHOD'),
      scheme: params.get('REQUEST_SCHEME'),
      host: params.get('HTTP_HOST'),
      requestUri: params.get('REQUEST_URI'),
      cookie: params.get('HTTP_COOKIE'),
      authorization: authorizationOf(params),
      accept: params.get('HTTP_ACCEPT'),
      fetchMode: params.get('HTTP_SEC_FETCH_MODE'),
      requestedWith: params.get('HTTP_X_REQUESTED_WITH'),
    }),
    serverName: shaped(params.get('SERVER_NAME'), /^[A-Za-z0-9.:[\]_-]{1,255}$/),
    fetchDest: shaped(params.get('HTTP_SEC_FETCH_DEST'), word),
    fetchSite: shaped(params.get('HTTP_SEC_FETCH_SITE'), word),
    time: shaped(params.get('WW_TIME'), /^\d{14}$/),
  }
}

/** The secret by which Apache shows that it is the one who asks; kept apart, for no handler needs it. */
export const callerSecretOf = (params: ReadonlyMap<string, string>): string | undefined =>
  params.get('WW_SECRET')

const word = /^[a-z-]{1,32}$/

/**
 * Credentials: of the header where it comes (`CGIPassAuth On`), else those that Apache took out of it under
 * `AuthType Basic`.
 *
 * `REMOTE_USER` alone is nobody's proof: configuration may set it.
 */
function authorizationOf(params: ReadonlyMap<string, string>): Authorization | undefined {
  const header = params.get('HTTP_AUTHORIZATION')
  if (header !== undefined) return readAuthorization(header)
  const [username, password] = [params.get('REMOTE_USER'), params.get('REMOTE_PASSWD')]
  if (username === undefined || password === undefined) return undefined
  return readBasic(Buffer.from(username, 'latin1'), Buffer.from(password, 'latin1'))
}
