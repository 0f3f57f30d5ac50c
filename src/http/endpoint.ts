import type { Context } from 'hono'
import type { Logger } from 'pino'
import type { z } from 'zod'
import type { AuthorizerAnswer } from '../authorizer/answer.ts'
import type { AuthorizerRequest } from '../authorizer/request.ts'
import { isId } from '../domain/id.ts'
import type { ReturnOrigins } from '../domain/return-to.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { Services } from '../services.ts'
import { type Answer, failure, notFound, notSignedIn } from './answer.ts'
import type { Appearance } from './appearance.ts'
import type { Cookies } from './cookies.ts'
import { errorAnswer } from './error-response.ts'
import { refuseUnlessAdmin } from './guards/admin.ts'
import { readBody } from './guards/body.ts'
import type { ClientAddress, Peer } from './guards/client-address.ts'
import { readQuery } from './guards/query.ts'
import { type Received, receive } from './receive.ts'

/** What the Node server tells of a request beside the request. */
export interface Bindings {
  readonly peer: Peer
}

export type AppContext = Context<{ Bindings: Bindings }>

/** What the edge itself is made of. */
export interface Edge {
  readonly services: Services
  readonly log: Logger
  readonly metrics: Metrics
  readonly cookies: Cookies
  readonly newRequestId: () => string
  readonly clientAddress: ClientAddress
  readonly ownOrigins: ReadonlySet<string>
  readonly securityHeaders: Readonly<Record<string, string>>
  readonly uniformErrors: boolean
  readonly mayReadMetrics: (peer: Peer, address: string) => boolean
  readonly appearance: Appearance
  /** The content security policy of pages, which show more than the API does. */
  readonly pagePolicy: string
  readonly returnOrigins: ReturnOrigins
  /** Whether the page asks for all three at once. */
  readonly singleForm: boolean
  readonly authorizer: EdgeAuthorizer
}

/** The answers about protected places that proxies other than Apache get, and the proof that they are proxies. */
export interface EdgeAuthorizer {
  readonly isCaller: (secret: string | undefined) => boolean
  readonly decide: (request: AuthorizerRequest) => Promise<AuthorizerAnswer>
}

/** Who may call a route. There is no default: a route that does not say stops the server from starting (SEC-AZ-1). */
export type Access =
  /** Anybody; the route itself asks for whatever proof it needs. */
  | 'anybody'
  /** Whoever holds a login under way or a session; the route tells which it takes. */
  | 'login-or-session'
  /** Whoever is signed in. */
  | 'session'
  /** A superuser who proved two factors, while administration is open (SEC-AZ-6). */
  | 'admin'
  /** The machine's own monitoring. */
  | 'monitoring'

/** One route: all that is known of it, for serving, for documentation and for tests. */
export interface Route<Body extends z.ZodType = z.ZodType, Query extends z.ZodType = z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** In its form with a trailing slash where it has one; the other form works as well. */
  readonly path: string
  readonly access: Access
  readonly summary: string
  /** What it does, in a sentence or two. */
  readonly description: string
  /** The fields of the body; absent when it takes none. */
  readonly body?: Body
  /** The parameters of the query; without it the query is not looked at. */
  readonly query?: Query
  /** Every status it may answer, with the shape of the body. */
  readonly answers: Readonly<Record<number, { readonly description: string; readonly schema?: z.ZodType }>>
  readonly handle: (request: ApiRequest<z.output<Body>, z.output<Query>>, edge: Edge) => Promise<Answer>
}

/** A request as a route sees it: checked, with whatever the route declared it needs. */
export interface ApiRequest<Fields, Query = unknown> extends Received {
  readonly fields: Fields
  readonly query: Query
  /** The identifier in the path; empty on routes without one. */
  readonly id: string
  /** The name of a group in the path; empty on routes without one. */
  readonly name: string
}

/** Makes a handler of Hono out of a route: guards in one visible order, the route itself, one answer. */
export function endpoint(route: Route, edge: Edge) {
  return (c: AppContext): Promise<Response> =>
    accounted(route, edge, async (requestId) => {
      try {
        return await answerTo(route, edge, c, requestId)
      } catch (error) {
        return errorAnswer(error, edge.log.child({ requestId, route: route.path }))
      }
    })
}

/** The answer as a response, counted, timed and logged under the route and never under the address. */
export async function accounted(
  { method, path }: { readonly method: string; readonly path: string },
  edge: Pick<Edge, 'log' | 'metrics' | 'newRequestId' | 'securityHeaders'>,
  answerOf: (requestId: string) => Promise<Answer>,
): Promise<Response> {
  const started = performance.now()
  const requestId = edge.newRequestId()
  const answer = await answerOf(requestId)
  const seconds = (performance.now() - started) / 1000
  edge.metrics.request(path, method, answer.status, seconds)
  const isRoutine = method === 'GET' && answer.status < 500
  edge.log[isRoutine ? 'debug' : 'info'](
    { requestId, method, route: path, status: answer.status, ms: Math.round(seconds * 1000) },
    'request',
  )
  return respond(answer, edge, requestId)
}

/** The answer to what no route takes: counted and logged without a word of what was asked for. */
export function unrouted(answer: Answer, edge: Edge): Response {
  const { log, metrics, newRequestId } = edge
  const requestId = newRequestId()
  metrics.request('unknown', 'any', answer.status, 0)
  log.debug({ requestId, route: 'unknown', status: answer.status }, 'request')
  return respond(answer, edge, requestId)
}

async function answerTo(route: Route, edge: Edge, c: AppContext, requestId: string): Promise<Answer> {
  const received = await receive(c, edge, requestId, {
    resume: route.access !== 'monitoring',
    hasFormKey: false,
  })
  if (received === 'cross-site') {
    return failure(403, 'cross_site', 'This request comes from the page of another site and is refused.')
  }
  if (route.access === 'session' && received.session === undefined) return notSignedIn()
  if (route.access === 'admin') {
    const refused = await refuseUnlessAdmin(edge, received)
    if (refused !== undefined) return refused
  }

  const fields = await fieldsOf(route, c.req.raw)
  if ('answer' in fields) return fields.answer
  const id = c.req.param('id')
  if (id !== undefined && !isId(id)) return notFound()
  const query = queryOf(route, c.req.raw.url)
  if ('answer' in query) return query.answer
  const name = c.req.param('name') ?? ''
  return route.handle({ ...received, fields: fields.value, query: query.value, id: id ?? '', name }, edge)
}

function queryOf({ query }: Route, url: string): { readonly value: unknown } | { readonly answer: Answer } {
  if (query === undefined) return { value: undefined }
  const read = readQuery(url)
  if (read.kind === 'malformed') return { answer: failure(400, 'invalid_request', read.why) }
  const parsed = query.safeParse(read.fields)
  return parsed.success ? { value: parsed.data } : { answer: invalidFields(parsed.error) }
}

async function fieldsOf(
  { method, body }: Route,
  request: Request,
): Promise<{ readonly value: unknown } | { readonly answer: Answer }> {
  if (method === 'GET' || method === 'DELETE') return { value: undefined }
  const read = await readBody(request)
  switch (read.kind) {
    case 'too-large':
      return {
        answer: failure(413, 'too_large', 'The body is too large.', { headers: { connection: 'close' } }),
      }
    case 'unsupported':
      return {
        answer: failure(
          415,
          'unsupported_media_type',
          'Send the fields as application/json or application/x-www-form-urlencoded, in UTF-8.',
        ),
      }
    case 'malformed':
      return { answer: failure(400, 'invalid_request', read.why) }
    case 'fields': {
      if (body === undefined) {
        return Object.keys(read.fields).length === 0 ? { value: undefined } : { answer: unexpectedFields() }
      }
      const parsed = body.safeParse(read.fields)
      return parsed.success ? { value: parsed.data } : { answer: invalidFields(parsed.error) }
    }
  }
}

const unexpectedFields = () => failure(400, 'invalid_request', 'This takes no fields.')

/** Names the field and what is wrong with it, never its value. */
function invalidFields(error: z.ZodError): Answer {
  const sentences = error.issues.map(({ path, code, message }) => {
    if (code === 'unrecognized_keys') return 'There are fields that this does not take.'
    return `${path.join('.')}: ${code === 'invalid_type' ? 'is needed, as text.' : message}`
  })
  return failure(400, 'invalid_request', [...new Set(sentences)].join(' '))
}

/** The answer with every header that each answer has. */
function respond(
  answer: Answer,
  { securityHeaders }: Pick<Edge, 'securityHeaders'>,
  requestId: string,
): Response {
  const { status, body, contentType = 'application/json; charset=utf-8', cookies = [], headers } = answer
  const all: Record<string, string> = { ...securityHeaders, ...headers, 'x-request-id': requestId }
  let content: string | ReadableStream | null = null
  if (body !== undefined) {
    all['content-type'] = contentType
    content = typeof body === 'string' || body instanceof ReadableStream ? body : JSON.stringify(body)
  }
  const [first, ...others] = cookies
  if (first !== undefined) all['set-cookie'] = first
  // Headers of their own are slow to make, and only a second cookie needs them.
  if (others.length === 0) return new Response(content, { status, headers: all })
  const withCookies = new Headers(all)
  for (const cookie of others) withCookies.append('set-cookie', cookie)
  return new Response(content, { status, headers: withCookies })
}
