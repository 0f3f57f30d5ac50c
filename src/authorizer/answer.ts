import type { Seconds, UnixSeconds } from '../domain/time.ts'
import type { Token } from '../domain/token.ts'

/** What a proxy is told about one request. */
export type AuthorizerAnswer =
  /** The request goes on as `user`. */
  | {
      readonly kind: 'allow'
      /** Becomes `REMOTE_USER` or `X-Remote-User`, in UTF-8. */
      readonly user: string
      /** What else the application learns; see `isVariableName`. */
      readonly variables?: Readonly<Record<string, string>>
      /** `Set-Cookie` lines that the browser gets with the protected page: to renew a session, deliberately. */
      readonly cookies?: readonly string[]
      /** Whether the proxy may answer so again without asking; absent where it must ask. */
      readonly repeatable?: Repeatable
    }
  /** The browser is sent to an absolute http or https address (302). */
  | { readonly kind: 'redirect'; readonly location: string; readonly cookies?: readonly string[] }
  | {
      readonly kind: 'deny'
      readonly status: DenyStatus
      /** For people or for programs: one of the constant bodies of `denials.ts`. */
      readonly body: 'page' | 'json'
      readonly cookies?: readonly string[]
      /** `WWW-Authenticate`, such as `Basic realm="Watchword", charset="UTF-8"` (RFC 9110 §11.6.1). */
      readonly challenge?: string
      readonly retryAfter?: Seconds
    }

/** For which requests, and for how long, an answer holds unless it is revoked. */
export interface Repeatable {
  /** Of the host that was asked for, as the client wrote it. */
  readonly origin: string
  /** Of the cookie by which the browser was known. */
  readonly token: Token
  readonly until: UnixSeconds
}

const denyStatuses = [400, 401, 403, 503] as const

export type DenyStatus = (typeof denyStatuses)[number]

/**
 * Whether an answer can be written into headers as it is (SEC-FCGI-1, SEC-FCGI-3).
 *
 * What cannot, be it a control character, a name that is reserved or a text that is too long, is refused and never
 * repaired: the edges close the door.
 */
export function isSound(answer: AuthorizerAnswer): boolean {
  if (!(answer.cookies ?? []).every(isCookie)) return false
  switch (answer.kind) {
    case 'allow': {
      const pairs = Object.entries(answer.variables ?? {})
      const { user } = answer
      return (
        user !== '' && isValue(user) && pairs.every(([name, value]) => isVariableName(name) && isValue(value))
      )
    }
    case 'redirect':
      return isLocation(answer.location)
    case 'deny': {
      const { status, challenge, retryAfter } = answer
      if (!denyStatuses.includes(status)) return false
      if (challenge !== undefined && !isPlain(challenge, 1024)) return false
      return retryAfter === undefined || (Number.isSafeInteger(retryAfter) && retryAfter >= 0)
    }
  }
}

/**
 * Whether an answer may set this variable: `WW_` and a name of its own, or one of three that applications know.
 *
 * A closed shape, because the environment also holds what decides (`WW_POLICY`), what proves (`WW_SECRET`), what
 * Apache says (`REMOTE_ADDR`, `HTTPS`) and what the loader of programs obeys (`LD_PRELOAD`).
 */
export const isVariableName = (name: string): boolean =>
  /^(?:WW_[A-Z][A-Z0-9_]{0,59}|REMOTE_(?:GROUPS|NAME|EMAIL))$/.test(name) &&
  name !== 'WW_POLICY' &&
  name !== 'WW_SECRET'

/** Printable ASCII, neither empty nor with a space at an end, which proxies would take away. */
const isPlain = (text: string, maximum: number): boolean =>
  typeof text === 'string' && text.length <= maximum && /^[!-~](?:[ -~]*[!-~])?$/.test(text)

/** A name, `=` and printable ASCII (RFC 6265 §4.1.1). */
const isCookie = (line: string): boolean => isPlain(line, 4096) && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+=/.test(line)

/** Longest value of a variable, in characters: an assertion with every group that an application is told. */
const VALUE_MAXIMUM = 5000

/**
 * Whole characters of which none is a control or a line separator. Spaces at an end are refused and not trimmed:
 * proxies would trim them, and ` bob` become another user.
 */
const isValue = (value: string): boolean =>
  typeof value === 'string' &&
  value.length <= VALUE_MAXIMUM &&
  value.isWellFormed() &&
  !/[\p{Cc}\p{Zl}\p{Zp}]|^\s|\s$/u.test(value)

/** An absolute http or https URL in printable ASCII without quotes, backslash, brackets of tags and credentials. */
function isLocation(text: string): boolean {
  if (!isPlain(text, 4096) || !/^https?:\/\/[A-Za-z0-9[][^\s"'<>\\^`{|}]*$/.test(text)) return false
  const url = URL.parse(text)
  return url !== null && url.username === '' && url.password === ''
}
