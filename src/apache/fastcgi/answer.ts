import { type AuthorizerAnswer, isSound } from '../../authorizer/answer.ts'
import { denials, faultPage, redirectPage } from '../../authorizer/denials.ts'

/** Most bytes of an answer: Apache keeps 8,192 of headers and body, and drops the rest. */
export const ANSWER_MAXIMUM = 8000

/**
 * Header of an answer in JSON, for `Header … "expr=resp('Watchword-Answer') == 'json'"`.
 *
 * Seen on Apache 2.4.71: a body in JSON arrives byte for byte, but Apache labels every body of a denial
 * `text/html; charset=iso-8859-1`, whatever the authorizer says. This lets the configuration put that right.
 */
const JSON_MARK = 'Watchword-Answer: json'

/** What is sent when an answer cannot be written down safely. */
export const UNSOUND_ANSWER: Buffer = Buffer.from(
  `Status: 500 Internal Server Error\r\nCache-Control: no-store\r\n\r\n${faultPage}`,
)

/**
 * The content of the one `FCGI_STDOUT` record of an answer (FastCGI 1.0 §6.3; SEC-FCGI-1).
 *
 * Begins with the one `Status:` line, then headers, an empty line and a constant body. Never throws: whatever cannot
 * be written safely makes it `UNSOUND_ANSWER`, which closes the door. Of two `Status:` lines Apache takes the last, and
 * none is an allow.
 */
export function serializeAnswer(answer: AuthorizerAnswer): Buffer {
  try {
    if (!isSound(answer)) return UNSOUND_ANSWER
    const content = Buffer.from(linesOf(answer))
    return content.length <= ANSWER_MAXIMUM ? content : UNSOUND_ANSWER
  } catch {
    // A value that has another type than it says: the same as one that cannot be written.
    return UNSOUND_ANSWER
  }
}

function linesOf(answer: AuthorizerAnswer): string {
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
  // What Apache sets by SetEnvIf reaches the application too; the secret must not.
  let lines = `Status: 200 OK\r\nVariable-WW_SECRET:\r\nVariable-REMOTE_USER: ${user}\r\n`
  for (const [name, value] of Object.entries(variables)) lines += `Variable-${name}: ${value}\r\n`
  for (const cookie of cookies) lines += `${setCookie(cookie)}\r\n`
  return `${lines}\r\n`
}

function redirect({ location, cookies = [] }: AuthorizerAnswer & { kind: 'redirect' }) {
  const lines = ['Status: 302 Found', `Location: ${location}`, ...cookies.map(setCookie), NO_STORE]
  return `${lines.join('\r\n')}\r\n\r\n${redirectPage}`
}

function deny({ status, body, cookies = [], challenge, retryAfter }: AuthorizerAnswer & { kind: 'deny' }) {
  const denial = denials[status]
  const lines = [`Status: ${status} ${denial.reason}`, NO_STORE, ...cookies.map(setCookie)]
  if (challenge !== undefined) lines.push(`WWW-Authenticate: ${challenge}`)
  if (retryAfter !== undefined) lines.push(`Retry-After: ${retryAfter}`)
  if (body === 'json') lines.push(JSON_MARK)
  return `${lines.join('\r\n')}\r\n\r\n${body === 'json' ? denial.json : denial.page}`
}

const NO_STORE = 'Cache-Control: no-store'

const setCookie = (cookie: string): string => `Set-Cookie: ${cookie}`
