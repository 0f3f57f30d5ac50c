import type { Seconds } from '../../domain/time.ts'

/** What Apache is told about one request. */
export type AuthorizerAnswer =
  /** The request goes on as `user`. */
  | {
      readonly kind: 'allow'
      /** Becomes `REMOTE_USER`, in UTF-8. */
      readonly user: string
      /** Environment of the application; see `isVariableName`. */
      readonly variables?: Readonly<Record<string, string>>
      /** `Set-Cookie` lines that the browser gets with the protected page: to renew a session, deliberately. */
      readonly cookies?: readonly string[]
    }
  /** The browser is sent to an absolute http or https address (302). */
  | { readonly kind: 'redirect'; readonly location: string; readonly cookies?: readonly string[] }
  | {
      readonly kind: 'deny'
      readonly status: DenyStatus
      /** For people or for programs: one of the constant bodies below. */
      readonly body: 'page' | 'json'
      readonly cookies?: readonly string[]
      /** `WWW-Authenticate`, such as `Basic realm="Watchword", charset="UTF-8"` (RFC 9110 §11.6.1). */
      readonly challenge?: string
      readonly retryAfter?: Seconds
    }

export type DenyStatus = 400 | 401 | 403 | 503

/** Most bytes of an answer: Apache keeps 8,192 of headers and body, and drops the rest. */
export const ANSWER_MAXIMUM = 8000

/** Header of an answer in JSON, for `Header … "expr=resp('Watchword-Answer') == 'json'"`; see `denials`. */
export const JSON_MARK = 'Watchword-Answer: json'

/** What is sent when an answer cannot be written down safely. */
export const UNSOUND_ANSWER: Buffer = Buffer.from(
  'Status: 500 Internal Server Error\r\nCache-Control: no-store\r\n\r\n' +
    page('Something went wrong', 'The sign-in of this server had a fault. Please try again.'),
)

/**
 * The content of the one `FCGI_STDOUT` record of an answer (FastCGI 1.0 §6.3; SEC-FCGI-1).
 *
 * Begins with the one `Status:` line, then headers, an empty line and a constant body. Never throws: whatever cannot
 * be written safely, be it a control character, a name that is reserved or a text that is too long, makes it
 * `UNSOUND_ANSWER`, which closes the door. Of two `Status:` lines Apache takes the last, and none is an allow.
 */
export function serializeAnswer(answer: AuthorizerAnswer): Buffer {
  try {
    const lines = linesOf(answer)
    if (lines === undefined) return UNSOUND_ANSWER
    const content = Buffer.from(lines)
    return content.length <= ANSWER_MAXIMUM ? content : UNSOUND_ANSWER
  } catch {
    // A value that has another type than it says: the same as one that cannot be written.
    return UNSOUND_ANSWER
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

function linesOf(answer: AuthorizerAnswer): string | undefined {
  switch (answer.kind) {
    case 'allow':
      return allow(answer)
    case 'redirect':
      return redirect(answer)
    case 'deny':
      return deny(answer)
  }
}

/** Nothing but variables: every other header of an allow reaches the browser (SEC-FCGI-3). */
function allow({ user, variables = {}, cookies = [] }: AuthorizerAnswer & { kind: 'allow' }) {
  const pairs = Object.entries(variables)
  if (!isVariableValue(user) || user === '' || !cookies.every(isCookie)) return undefined
  if (!pairs.every(([name, value]) => isVariableName(name) && isVariableValue(value))) return undefined
  // What Apache sets by SetEnvIf reaches the application too; the secret must not.
  const lines = ['Status: 200 OK', 'Variable-WW_SECRET:', `Variable-REMOTE_USER: ${user}`]
  for (const [name, value] of pairs) lines.push(`Variable-${name}: ${value}`)
  return `${[...lines, ...cookies.map(setCookie)].join('\r\n')}\r\n\r\n`
}

function redirect({ location, cookies = [] }: AuthorizerAnswer & { kind: 'redirect' }) {
  if (!isLocation(location) || !cookies.every(isCookie)) return undefined
  const lines = ['Status: 302 Found', `Location: ${location}`, ...cookies.map(setCookie), NO_STORE]
  return `${lines.join('\r\n')}\r\n\r\n${redirectBody}`
}

function deny({ status, body, cookies = [], challenge, retryAfter }: AuthorizerAnswer & { kind: 'deny' }) {
  const denial = denials.get(status)
  if (denial === undefined || !cookies.every(isCookie)) return undefined
  const lines = [denial.status, NO_STORE, ...cookies.map(setCookie)]
  if (challenge !== undefined) {
    if (!isPlain(challenge, 1024)) return undefined
    lines.push(`WWW-Authenticate: ${challenge}`)
  }
  if (retryAfter !== undefined) {
    if (!Number.isSafeInteger(retryAfter) || retryAfter < 0) return undefined
    lines.push(`Retry-After: ${retryAfter}`)
  }
  if (body === 'json') lines.push(JSON_MARK)
  return `${lines.join('\r\n')}\r\n\r\n${body === 'json' ? denial.json : denial.page}`
}

const NO_STORE = 'Cache-Control: no-store'

const setCookie = (cookie: string): string => `Set-Cookie: ${cookie}`

/** Printable ASCII, neither empty nor with a space at an end, which Apache would take away. */
const isPlain = (text: string, maximum: number): boolean =>
  typeof text === 'string' && text.length <= maximum && /^[!-~](?:[ -~]*[!-~])?$/.test(text)

/** A name, `=` and printable ASCII (RFC 6265 §4.1.1). */
const isCookie = (line: string): boolean => isPlain(line, 4096) && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+=/.test(line)

/** Longest value of a variable, in characters. */
const VALUE_MAXIMUM = 2048

/**
 * Whole characters of which none is a control or a line separator. Spaces at an end are refused and not trimmed:
 * Apache would trim them, and ` bob` become another user.
 */
const isVariableValue = (value: string): boolean =>
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

const redirectBody = page('Please sign in', 'You are being sent to the sign-in page.')

/**
 * Constant bodies. A body that begins with `/` or is a URL would make Apache serve another page or redirect:
 * these begin with `<` or `{`.
 *
 * Seen on Apache 2.4.71: a body in JSON arrives byte for byte, but Apache labels every body of a denial
 * `text/html; charset=iso-8859-1`, whatever the authorizer says. `JSON_MARK` lets the configuration put that right;
 * read as HTML the constants are harmless.
 */
const denials: ReadonlyMap<DenyStatus, Denial> = new Map([
  [
    400,
    {
      status: 'Status: 400 Bad Request',
      page: page('This request cannot be answered', 'The browser sent something that cannot be read.'),
      json: json('bad_request', 'This request cannot be read.'),
    },
  ],
  [
    401,
    {
      status: 'Status: 401 Unauthorized',
      page: page('Please sign in', 'This page is for those who are signed in.'),
      json: json('not_signed_in', 'Sign in first.'),
    },
  ],
  [
    403,
    {
      status: 'Status: 403 Forbidden',
      page: page('This page is not open to you', 'Your account does not have access to it.'),
      json: json('forbidden', 'This is not open to you.'),
    },
  ],
  [
    503,
    {
      status: 'Status: 503 Service Unavailable',
      page: page('Please try again in a moment', 'The sign-in of this server does not answer in time.'),
      json: json('unavailable', 'Try again in a moment.'),
    },
  ],
])

interface Denial {
  readonly status: string
  readonly page: string
  readonly json: string
}

/** In ASCII: Apache calls it ISO 8859-1. */
function page(title: string, sentence: string): string {
  return `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>${title}</title><h1>${title}</h1><p>${sentence}</p></html>\n`
}

function json(code: string, sentence: string): string {
  return `${JSON.stringify({ error: sentence, code })}\n`
}
