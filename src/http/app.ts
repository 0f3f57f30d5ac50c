import { Hono } from 'hono'
import { type Answer, failure, notFound } from './answer.ts'
import { routes } from './api/routes.ts'
import { API_DOCS_FILES, findApiDocsFile } from './api-docs-files.ts'
import type { Asset } from './appearance.ts'
import { AUTHORIZE_PATH, authorizeEndpoint } from './authorize.ts'
import { type AppContext, type Bindings, type Edge, endpoint, unrouted } from './endpoint.ts'
import { errorAnswer } from './error-response.ts'
import { pageEndpoint, viewOfStranger } from './page-endpoint.ts'
import { errorPage } from './pages/error-page.ts'
import { pageRoutes } from './routes/list.ts'
import type { ErrorText } from './texts/en/common.ts'

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
  const pages = new Set(pageRoutes.filter(({ method }) => method === 'GET').map(({ path }) => path))
  for (const route of pageRoutes) {
    app.on(route.method, route.path, pageEndpoint(route, edge, pages.has(route.path)))
    methods.set(route.path, [...(methods.get(route.path) ?? []), route.method])
  }
  app.get(AUTHORIZE_PATH, authorizeEndpoint(edge))
  methods.set(AUTHORIZE_PATH, ['GET'])
  for (const asset of assetsOf(edge)) app.get(asset.path, () => assetResponse(asset, edge))
  app.get(`${API_DOCS_FILES}/:file`, (c, next) => docsFileResponse(c, edge) ?? next())
  const others = otherMethods(methods, edge)
  app.notFound((c) => others.fetch(c.req.raw, c.env))
  app.onError((error) => unrouted(errorAnswer(error, edge.log), edge))
  return app
}

function assetsOf({ appearance: { script, logo } }: Edge): readonly Asset[] {
  return logo === undefined ? [script] : [script, logo]
}

/** A file whose name changes with its content; a logo drawn as SVG may run nothing (SEC-WEB-5). */
function assetResponse({ body, contentType }: Asset, edge: Edge): Response {
  return new Response(body, { headers: assetHeaders(contentType, edge) })
}

function docsFileResponse({ req }: AppContext, edge: Edge): Response | undefined {
  const file = findApiDocsFile(req.path)
  if (file === undefined) return undefined
  const headers = { ...assetHeaders(file.contentType, edge), 'content-length': String(file.size) }
  return new Response(file.stream(), { headers })
}

const assetHeaders = (contentType: string, { securityHeaders }: Edge) => ({
  ...securityHeaders,
  'cache-control': 'public, max-age=31536000, immutable',
  'content-type': contentType,
})

/**
 * Answers what no route takes: 405 where the address is known, else 404.
 *
 * An application of its own, because a second handler for an address would take every request to it off the
 * router's short way.
 */
function otherMethods(methods: ReadonlyMap<string, readonly string[]>, edge: Edge) {
  const others = new Hono<{ Bindings: Bindings }>()
  const answer = async (c: AppContext, text: ErrorText, answer: Answer) => {
    // People get a page, programs what the API answers.
    const isPerson = c.req.header('accept')?.includes('text/html') === true
    return unrouted(isPerson ? await errorPage(viewOfStranger(edge, c), text, answer) : answer, edge)
  }
  for (const [path, known] of methods) {
    const allow = known.includes('GET') ? ['HEAD', ...known] : known
    others.all(path, (c) => answer(c, 'notAllowed', methodNotAllowed(allow.join(', '))))
  }
  others.notFound((c) => answer(c, 'notFound', notFound()))
  return others
}

function spellings(path: string): string[] {
  return path.endsWith('/') ? [path, path.slice(0, -1)] : [path]
}

function methodNotAllowed(allow: string) {
  return failure(405, 'method_not_allowed', `This address takes ${allow} only.`, { headers: { allow } })
}
