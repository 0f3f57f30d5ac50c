import { Hono } from 'hono'
import { failure, notFound } from './answer.ts'
import { routes } from './api/routes.ts'
import { type Bindings, type Edge, endpoint, unrouted } from './endpoint.ts'
import { errorAnswer } from './error-response.ts'

/** The application: every route of the list, with and without its trailing slash, and nothing else. */
export function createApp(edge: Edge): Hono<{ Bindings: Bindings }> {
  const app = new Hono<{ Bindings: Bindings }>()
  const methods = new Map<string, string[]>()
  for (const route of routes) {
    for (const path of spellings(route.path)) {
      app.on(route.method, path, endpoint(route, edge))
      methods.set(path, [...(methods.get(path) ?? []), route.method])
    }
  }
  const others = otherMethods(methods, edge)
  app.notFound((c) => others.fetch(c.req.raw))
  app.onError((error) => unrouted(errorAnswer(error, edge.log), edge))
  return app
}

/**
 * Answers what no route takes: 405 where the address is known, else 404.
 *
 * An application of its own, because a second handler for an address would take every request to it off the
 * router's short way.
 */
function otherMethods(methods: ReadonlyMap<string, readonly string[]>, edge: Edge): Hono {
  const others = new Hono()
  for (const [path, known] of methods) {
    const allow = known.includes('GET') ? ['HEAD', ...known] : known
    others.all(path, () => unrouted(methodNotAllowed(allow.join(', ')), edge))
  }
  others.notFound(() => unrouted(notFound(), edge))
  return others
}

function spellings(path: string): string[] {
  return path.endsWith('/') ? [path, path.slice(0, -1)] : [path]
}

function methodNotAllowed(allow: string) {
  return failure(405, 'method_not_allowed', `This address takes ${allow} only.`, { headers: { allow } })
}
