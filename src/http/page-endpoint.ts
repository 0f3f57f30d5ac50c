import type { z } from 'zod'
import { enterAdmin } from '../actions/enter-admin.ts'
import { takesAppPasswords } from '../domain/app-password.ts'
import { formKeyOf, isFormKey, type Token } from '../domain/token.ts'
import type { Answer } from './answer.ts'
import { type AppContext, accounted, type Edge } from './endpoint.ts'
import { errorAnswer } from './error-response.ts'
import { readBody } from './guards/body.ts'
import { readQuery } from './guards/query.ts'
import { chooseLanguage } from './language.ts'
import { redirect, type View } from './page.ts'
import { errorPage, errorTextOf } from './pages/error-page.ts'
import { type Received, receive } from './receive.ts'
import { texts } from './texts/index.ts'

/** Who may open a page. There is no default (SEC-AZ-1). */
export type PageAccess =
  /** Anybody; the page itself asks for whatever proof it needs. */
  | 'anybody'
  /** Whoever is signed in; others are asked to, and come back. */
  | 'session'
  /** A superuser with two factors whose last proof or visit is recent. */
  | 'admin'

/** A page, or what a form of a page does. */
export interface PageRoute<Fields extends z.ZodType = z.ZodType, Query extends z.ZodType = z.ZodType> {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly access: PageAccess
  /** Fields of the query; what does not fit counts as not given. */
  readonly query?: Query
  /** Fields of the form, beside its key. */
  readonly fields?: Fields
  readonly handle: (request: PageRequest<z.output<Fields>, z.output<Query>>, edge: Edge) => Promise<Answer>
}

/** A request as a page sees it. */
export interface PageRequest<Fields = unknown, Query = unknown> extends Received {
  readonly fields: Fields
  readonly query: Query
  /** The identifier in the path; empty on routes without one. */
  readonly id: string
  readonly view: View
}

/** Keeps the types of a route's fields and query together; the list of routes knows them no more. */
export function pageRoute<Fields extends z.ZodType, Query extends z.ZodType>(
  route: PageRoute<Fields, Query>,
): PageRoute {
  return route as unknown as PageRoute // The endpoint hands over what the route's own schemas gave.
}

/**
 * Makes a handler of Hono out of a page: guards in one visible order, the page itself, one answer.
 *
 * @param hasPage whether the address can be opened, so that links may lead to it.
 */
export function pageEndpoint(route: PageRoute, edge: Edge, hasPage: boolean) {
  return (c: AppContext): Promise<Response> =>
    accounted(route, edge, (requestId) => answerOrError(route, edge, c, { requestId, hasPage }))
}

interface Serving {
  readonly requestId: string
  readonly hasPage: boolean
}

async function answerOrError(route: PageRoute, edge: Edge, c: AppContext, serving: Serving): Promise<Answer> {
  const { requestId, hasPage } = serving
  try {
    return await answerTo(route, edge, c, serving)
  } catch (error) {
    const fault = errorAnswer(error, edge.log.child({ requestId, route: route.path }))
    return errorPage(viewOfStranger(edge, c, hasPage), errorTextOf(fault), { ...fault, requestId })
  }
}

async function answerTo(
  route: PageRoute,
  edge: Edge,
  c: AppContext,
  { requestId, hasPage }: Serving,
): Promise<Answer> {
  const received = await receive(c, edge, requestId, { resume: true, hasFormKey: true })
  if (received === 'cross-site')
    return errorPage(viewOfStranger(edge, c, hasPage), 'crossSite', { status: 403 })
  const { form, fresh } = formToken(edge, received)
  const view = viewOf(edge, c, { received, hasPage, formKey: formKeyOf(form) })
  const answer = await guarded(route, edge, c, { received, view, form })
  if (fresh === undefined) return answer
  return { ...answer, cookies: [...(answer.cookies ?? []), edge.cookies.set('form', fresh)] }
}

async function guarded(
  route: PageRoute,
  edge: Edge,
  c: AppContext,
  { received, view, form }: { received: Received; view: View; form: Token },
): Promise<Answer> {
  const { session } = received
  const back = route.method === 'GET' ? `?return_to=${encodeURIComponent(view.here)}` : ''
  if (route.access !== 'anybody' && session === undefined) return redirect(`/login${back}`)
  if (route.access === 'admin' && session !== undefined) {
    const entry = await enterAdmin(edge.services, session, received.isUse)
    if (entry.kind === 'not-admin') return errorPage(view, 'forbidden', { status: 403 })
    if (entry.kind === 'locked') return redirect(`/confirm${back === '' ? '?return_to=%2Fadmin' : back}`)
  }
  const query = route.query?.safeParse(queryOf(c.req.raw.url))
  const request = {
    ...received,
    query: query?.success === true ? query.data : route.query?.parse({}),
    fields: undefined,
    id: c.req.param('id') ?? '',
    view,
  }
  if (route.method === 'GET') return route.handle(request, edge)

  const read = await readBody(c.req.raw)
  if (read.kind === 'too-large') return errorPage(view, 'tooLarge', { status: 413 })
  if (read.kind !== 'fields') return errorPage(view, 'badRequest', { status: 400 })
  const { form_token: key, ...given } = read.fields
  if (typeof key !== 'string' || !isFormKey(key, form)) return errorPage(view, 'staleForm', { status: 403 })
  const fields = route.fields?.safeParse(given)
  if (fields?.success === false || (fields === undefined && Object.keys(given).length > 0)) {
    return errorPage(view, 'badRequest', { status: 400 })
  }
  return route.handle({ ...request, fields: fields?.data }, edge)
}

/** What the query gives; a query that is malformed or names something twice gives nothing (SEC-INP-9). */
function queryOf(url: string): Readonly<Record<string, unknown>> {
  const read = readQuery(url)
  return read.kind === 'fields' ? read.fields : {}
}

/**
 * The token that forms of this browser are bound to: that of its session or login, which change at every sign-in, else
 * one of its own (SEC-CSRF-2).
 */
function formToken(edge: Edge, { caller, loginToken, formToken: own }: Received) {
  const known = caller.sessionToken ?? loginToken ?? own
  if (known !== undefined) return { form: known, fresh: undefined }
  const token = edge.services.newToken()
  return { form: token, fresh: { token, lifetime: 0 } }
}

function viewOf(
  edge: Edge,
  c: AppContext,
  { received, hasPage, formKey }: { received: Pick<Received, 'session'>; hasPage: boolean; formKey: string },
): View {
  const { headers, url } = c.req.raw
  const language = languageOf(headers)
  const { pathname, search } = new URL(url)
  return {
    t: texts[language],
    language,
    appearance: edge.appearance,
    formKey,
    here: hasPage ? pathname + search : '/',
    user: received.session?.user,
    contentSecurityPolicy: edge.pagePolicy,
    hasAppPasswords: edge.services.policy.accessPolicies.some(takesAppPasswords),
  }
}

function languageOf(headers: Headers) {
  try {
    return chooseLanguage(headers.get('cookie'), headers.get('accept-language'))
  } catch {
    // A cookie that came twice, which the error page is about to tell of.
    return chooseLanguage(null, headers.get('accept-language'))
  }
}

/** For pages that are shown before anybody is known: without forms that would need a key. */
export function viewOfStranger(edge: Edge, c: AppContext, hasPage = false): View {
  return viewOf(edge, c, { received: { session: undefined }, hasPage, formKey: '' })
}
