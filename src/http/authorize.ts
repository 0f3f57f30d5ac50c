import { z } from 'zod'
import { type AuthorizerAnswer, isSound } from '../authorizer/answer.ts'
import { denials, redirectPage } from '../authorizer/denials.ts'
import {
  type AuthorizerRequest,
  readAuthorization,
  readRequest,
  shaped,
  visible,
} from '../authorizer/request.ts'
import { withoutOurCookies } from '../authorizer/site-cookies.ts'
import { isOfPrograms } from '../domain/access.ts'
import type { Answer } from './answer.ts'
import { type AppContext, accounted, type Edge } from './endpoint.ts'
import { errorAnswer } from './error-response.ts'
import { readQuery } from './guards/query.ts'

/** Where nginx, Caddy and Traefik ask whether a request may enter a protected place. */
export const AUTHORIZE_PATH = '/api/authorize'

/** What the configuration of the proxy says, in the address that it asks. */
const authorizeQuery = z.strictObject({
  policy: z.string(),
  /** nginx understands no answer but 2xx, 401 and 403. */
  proxy: z.enum(['nginx']).optional(),
})

/** A question that was understood. */
interface Question {
  readonly request: AuthorizerRequest
  /** The `Authorization` header as it came. */
  readonly credentials: string | undefined
  readonly isNginx: boolean
}

/**
 * `GET /api/authorize?policy=NAME`: the answer to a request of a protected place, for the proxy in front of it.
 *
 * Whoever asks shows the secret of the caller; without it nothing is looked at, because only a proxy of ours may say
 * whose address, host and target these are (SEC-FCGI-4, SEC-FCGI-5). What is missing or malformed, or came twice, is
 * refused.
 */
export function authorizeEndpoint(edge: Edge) {
  const route = { method: 'GET', path: AUTHORIZE_PATH } as const
  // The answer reaches a browser under the name of another host, whose transport is not ours to decide on.
  const { 'strict-transport-security': _, ...securityHeaders } = edge.securityHeaders
  const toOtherHosts = { ...edge, securityHeaders }
  return (c: AppContext): Promise<Response> =>
    accounted(route, toOtherHosts, async (requestId) => {
      const about = { requestId, route: AUTHORIZE_PATH }
      try {
        return await answerTo(c.req.raw, edge, (why) =>
          edge.log.debug({ ...about, why }, 'authorizer refused'),
        )
      } catch (error) {
        return errorAnswer(error, edge.log.child(about))
      }
    })
}

async function answerTo(request: Request, edge: Edge, refused: (why: string) => void): Promise<Answer> {
  const { headers } = request
  if (!edge.authorizer.isCaller(headers.get('x-watchword-secret') ?? undefined)) {
    refused('not the secret of the caller')
    return notForYou()
  }
  const question = readQuestion(request)
  if (question === undefined) {
    refused('a header or the policy is missing, malformed or there twice')
    return notForYou()
  }
  const answer = await edge.authorizer.decide(question.request)
  if (!isSound(answer)) throw new Error('an answer of the authorizer cannot be written into headers')
  switch (answer.kind) {
    case 'allow':
      return allow(answer, question, edge)
    case 'redirect':
      return redirect(answer, question)
    case 'deny':
      return deny(answer, question)
  }
}

/** To whom nothing is decided. */
const notForYou = (): Answer => ({ status: 403, body: denials[403].json, contentType: JSON_TYPE })

/** What is asked, if every part of it came, once and well-formed. Values of a header that came twice are joined by `, `. */
function readQuestion({ url, headers }: Request): Question | undefined {
  const query = readQuery(url)
  const parsed = query.kind === 'fields' ? authorizeQuery.safeParse(query.fields) : undefined
  if (parsed?.success !== true) return undefined
  const header = (name: string) => headers.get(name) ?? undefined
  const credentials = shaped(header('authorization'), visible)
  const request = readRequest({
    policy: parsed.data.policy,
    clientAddress: header('x-forwarded-for'),
    method: header('x-forwarded-method'),
    scheme: header('x-forwarded-proto'),
    host: header('x-forwarded-host'),
    requestUri: header('x-forwarded-uri'),
    cookie: header('cookie'),
    authorization: credentials === undefined ? undefined : readAuthorization(credentials),
    accept: header('accept'),
    fetchMode: header('sec-fetch-mode'),
    requestedWith: header('x-requested-with'),
  })
  const { policy, clientAddress, method, scheme, host, requestUri } = request
  const told = [policy, clientAddress, method, scheme, host, requestUri]
  // No target has a space (RFC 9112 §3.2), and two that were joined have one.
  const isWhole = told.every((value) => value !== undefined && !value.includes(' '))
  return isWhole ? { request, credentials, isNginx: parsed.data.proxy === 'nginx' } : undefined
}

/**
 * What the application learns, each variable as a header: `WW_AMR` as `X-Watchword-Amr`, `REMOTE_GROUPS` as
 * `X-Remote-Groups`. Then what is left of `Cookie` and `Authorization` without what is ours, to put in their place.
 */
function allow(
  { user, variables = {}, cookies = [] }: AuthorizerAnswer & { kind: 'allow' },
  { request: { policy = '', cookie }, credentials }: Question,
  { services }: Edge,
): Answer {
  const headers: Record<string, string> = { 'x-remote-user': inBytes(user) }
  for (const [name, value] of Object.entries(variables)) headers[headerOf(name)] = inBytes(value)
  const rest = cookie === undefined ? '' : withoutOurCookies(cookie)
  if (rest !== '') headers.cookie = rest
  const mayBeOurs = services.policy.accessPolicy(policy)?.access.some(isOfPrograms) !== false
  if (credentials !== undefined && !(mayBeOurs && /^\s*basic/i.test(credentials))) {
    headers.authorization = credentials
  }
  return { status: 204, headers, cookies }
}

const headerOf = (variable: string): string =>
  variable
    .replace(/^WW_/, 'x-watchword-')
    .replace(/^REMOTE_/, 'x-remote-')
    .replaceAll('_', '-')
    .toLowerCase()

/** UTF-8, one character a byte, as headers are written. */
const inBytes = (text: string): string => Buffer.from(text).toString('latin1')

function redirect(
  { location, cookies = [] }: AuthorizerAnswer & { kind: 'redirect' },
  { isNginx }: Question,
): Answer {
  const answer = { cookies, body: redirectPage, contentType: HTML }
  return isNginx
    ? { ...answer, status: 401, headers: { 'x-watchword-location': location } }
    : { ...answer, status: 302, headers: { location } }
}

function deny(
  { status, body, cookies = [], challenge, retryAfter }: AuthorizerAnswer & { kind: 'deny' },
  { isNginx }: Question,
): Answer {
  const headers: Record<string, string> = { 'x-watchword-answer': body }
  if (challenge !== undefined) headers['www-authenticate'] = challenge
  if (retryAfter !== undefined) headers['retry-after'] = String(retryAfter)
  return {
    // nginx would make a fault of its own of 400.
    status: isNginx && status === 400 ? 403 : status,
    cookies,
    headers,
    body: denials[status][body],
    contentType: body === 'json' ? JSON_TYPE : HTML,
  }
}

const HTML = 'text/html; charset=utf-8'
const JSON_TYPE = 'application/json; charset=utf-8'
