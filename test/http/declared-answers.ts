import assert from 'node:assert/strict'
import { z } from 'zod'
import { routes } from '../../src/http/api/routes.ts'
import { errorBody } from '../../src/http/api/schemas.ts'
import { answersOf } from '../../src/http/edge-answers.ts'
import { pageRoutes } from '../../src/http/routes/list.ts'

/** What an answer is judged by. */
export interface Judged {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: unknown
}

const known = routes.map((route) => ({
  route,
  pattern: new RegExp(`^${route.path.replace(/:\w+/g, '[^/]+').replace(/\/$/, '/?')}$`),
}))

const pages = pageRoutes.map(({ method, path }) => ({
  method,
  pattern: new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`),
}))

/** Whether a page, or a form of one, is at this address. */
function isPage(method: string, path: string): boolean {
  const bare = path.split('?', 1)[0] ?? ''
  return pages.some((page) => page.method === method && page.pattern.test(bare))
}

/** The route that serves a method and a path, if there is one. */
function routeOf(method: string, path: string) {
  const bare = path.split('?', 1)[0] ?? ''
  return known.find(({ route, pattern }) => route.method === method && pattern.test(bare))?.route
}

/**
 * Fails unless the answer is one that its route declares, with the declared fields and no other (SEC-API-6),
 * and carries the headers that every answer has (SEC-WEB-1…3). Every answer of every test comes through here.
 */
export function assertDeclared(method: string, path: string, answer: Judged): void {
  const call = `${method} ${path} → ${answer.status}`
  assertHeaders(call, answer)
  const route = routeOf(method === 'HEAD' ? 'GET' : method, path)
  if (route === undefined && isPage(method === 'HEAD' ? 'GET' : method, path)) {
    const known = [200, 303, 400, 403, 404, 413, 422, 429, 500, 503]
    assert.ok(known.includes(answer.status), `${call}: no status of a page`)
    return
  }
  if (route === undefined) {
    assert.ok([404, 405].includes(answer.status), `${call}: no route, and neither 404 nor 405`)
    const isForPeople = answer.headers.get('content-type')?.startsWith('text/html') === true
    if (method !== 'HEAD' && !isForPeople) assertShape(call, errorBody, answer.body)
    return
  }
  const declared = answersOf(route)[answer.status]
  assert.ok(declared, `${call}: the route does not declare this status. ${answer.text}`)
  if (method === 'HEAD') assert.equal(answer.text, '', `${call}: a body`)
  else if (declared.schema !== undefined) assertShape(call, declared.schema, answer.body)
}

function assertShape(call: string, schema: z.ZodType, body: unknown): void {
  const { error } = schema.safeParse(body)
  if (error !== undefined) assert.fail(`${call}: not of the declared shape. ${z.prettifyError(error)}`)
}

function assertHeaders(call: string, { headers, body }: Judged): void {
  const expected: Record<string, RegExp> = {
    // What is published, and nothing else, may be kept.
    'cache-control': /^(?:GET|HEAD) \/\.well-known\/jwks\.json → 200$/.test(call)
      ? /^public, max-age=300$/
      : /^no-store$/,
    'content-security-policy': /default-src 'none'.*base-uri 'none'.*frame-ancestors 'none'/,
    'cross-origin-opener-policy': /^same-origin$/,
    'cross-origin-resource-policy': /^same-origin$/,
    'permissions-policy': /camera=\(\)/,
    'referrer-policy': /^no-referrer$/,
    'x-content-type-options': /^nosniff$/,
  }
  for (const [name, pattern] of Object.entries(expected)) {
    assert.match(headers.get(name) ?? '', pattern, `${call}: ${name}`)
  }
  if (body !== undefined) {
    assert.equal(headers.get('content-type'), 'application/json; charset=utf-8', `${call}: content-type`)
  }
  assert.equal(headers.get('access-control-allow-origin'), null, `${call}: shared across origins`)
}
