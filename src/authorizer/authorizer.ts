import { assertIdentity } from '../actions/assert-identity.ts'
import { type AuthorizeOutcome, authorizeRequest } from '../actions/authorize-request.ts'
import { takeTicket } from '../actions/take-ticket.ts'
import { isOfPrograms } from '../domain/access.ts'
import { AmbiguousCookieError } from '../domain/cookie.ts'
import { hashToken, type Token } from '../domain/token.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { Services } from '../services.ts'
import type { AuthorizerAnswer, DenyStatus, Repeatable } from './answer.ts'
import { type Place, placeOf } from './place.ts'
import type { AuthorizerRequest } from './request.ts'
import { type SiteCookies, siteCookies } from './site-cookies.ts'

export interface AuthorizerSettings {
  /** Of our own pages. */
  readonly origin: string
  /** The origins of protected hosts. */
  readonly hosts: ReadonlySet<string>
  readonly metrics: Pick<Metrics, 'appPassword' | 'passwordCode'>
}

/** What a program is asked for where the policy takes programs (RFC 7617 §2.1). */
const CHALLENGE = 'Basic realm="Watchword", charset="UTF-8"'

/** A request to a place, with all that its answer needs. */
interface Visit {
  readonly services: Services
  readonly settings: AuthorizerSettings
  readonly request: AuthorizerRequest
  readonly policy: string
  readonly address: string
  readonly place: Place
  readonly cookies: SiteCookies
}

/**
 * Decides on requests that a proxy asks about: a policy, the browser's cookie and an address in, one answer out.
 *
 * What is missing or not what it should be closes the door (SEC-FCGI-4).
 */
export function createAuthorizer(services: Services, settings: AuthorizerSettings) {
  const cookiesOf = new Map([...settings.hosts].map((host) => [host, siteCookies(host)]))
  return async (request: AuthorizerRequest): Promise<AuthorizerAnswer> => {
    const { policy, clientAddress: address, method } = request
    const place = placeOf(request, settings.hosts)
    if (policy === undefined || address === undefined || method === undefined || place === undefined) {
      return denial(request, 403)
    }
    const cookies = cookiesOf.get(place.host) ?? siteCookies(place.host)
    try {
      return await answerTo({ services, settings, request, policy, address, place, cookies })
    } catch (error) {
      if (error instanceof AmbiguousCookieError) return denial(request, 400)
      throw error
    }
  }
}

async function answerTo(visit: Visit): Promise<AuthorizerAnswer> {
  const { services, request, policy, address, place, cookies } = visit
  const { authorization } = request
  const outcome = await authorizeRequest(services, {
    policy,
    address,
    host: place.host,
    siteToken: cookies.read(request.cookie, 'site'),
    credentials: authorization?.kind === 'basic' ? authorization : undefined,
  })
  countProgram(visit, outcome)
  switch (outcome.kind) {
    case 'allow':
      // Whoever is in already, in another tab, goes on without the ticket.
      if (place.ticket !== undefined && isNavigation(request)) {
        return { kind: 'redirect', location: place.address() }
      }
      return await admission(visit, outcome)
    case 'sign-in':
    case 'step-up':
      // The ticket may be of a session with a better proof than the one known here.
      return place.ticket !== undefined && isNavigation(request)
        ? enter(visit, outcome, place.ticket)
        : ask(visit, outcome)
    case 'forbidden':
      return denial(request, 403)
    case 'busy':
      return { ...denial(request, 503), retryAfter: 1 }
  }
}

function countProgram({ settings: { metrics } }: Visit, outcome: AuthorizeOutcome): void {
  const shown =
    outcome.kind === 'allow'
      ? { by: outcome.by, reason: 'allowed' }
      : outcome.kind === 'busy'
        ? ({ by: 'password-code', reason: 'busy' } as const)
        : outcome.refused
  if (shown?.by === 'app-password') metrics.appPassword(shown.reason)
  if (shown?.by === 'password-code') metrics.passwordCode(shown.reason)
}

/** What the application learns; nothing of it comes from the request (SEC-FCGI-3). */
async function admission(visit: Visit, admitted: Allowed): Promise<AuthorizerAnswer> {
  const { services, settings, policy, place } = visit
  const { username, userId, groups, amr } = admitted
  const told = { REMOTE_GROUPS: groups.join(','), WW_AMR: amr.join(','), WW_USER_ID: userId }
  if (services.policy.accessPolicy(policy)?.assertion !== true) {
    const repeatable = repeatableFor(visit, admitted)
    return { kind: 'allow', user: username, variables: told, ...(repeatable !== undefined && { repeatable }) }
  }
  const identity = { ...admitted, issuer: settings.origin, audience: place.host }
  const variables = { ...told, WW_ASSERTION: await assertIdentity(services, identity) }
  return { kind: 'allow', user: username, variables }
}

type Allowed = AuthorizeOutcome & { readonly kind: 'allow' }

/** Only what a browser asks for by its cookie alone, at the host in its one proper spelling. */
function repeatableFor({ request, place, cookies }: Visit, { until }: Allowed): Repeatable | undefined {
  if (until === undefined || request.authorization !== undefined) return undefined
  if (place.ticket !== undefined || `${request.scheme}://${request.host}` !== place.host) return undefined
  const token = cookies.read(request.cookie, 'site')
  return token && { origin: place.host, token, until }
}

/** The way back from our pages: the ticket becomes a cookie of this host, and the address loses it. */
async function enter(visit: Visit, outcome: AuthorizeOutcome, ticket: Token): Promise<AuthorizerAnswer> {
  const { services, request, place, cookies } = visit
  const waitToken = cookies.read(request.cookie, 'wait')
  // A browser that did not set out here was sent by somebody else (L-55), or keeps no cookies and would go in circles.
  if (waitToken === undefined) return denial(request, 403)
  const siteToken = await takeTicket(services, { ticket, waitToken, host: place.host })
  if (siteToken === undefined) return ask(visit, outcome)
  return {
    kind: 'redirect',
    location: place.address(),
    cookies: [cookies.set('site', siteToken), cookies.clear('wait')],
  }
}

/** Sends a person to our pages, and tells a program that it has to sign in. */
function ask(visit: Visit, { kind }: Pick<AuthorizeOutcome, 'kind'>): AuthorizerAnswer {
  const { services, settings, request, place, cookies } = visit
  const takesPrograms = services.policy.accessPolicy(visit.policy)?.access.some(isOfPrograms) === true
  if (!isNavigation(request)) {
    // A browser would show a dialog of its own for what a script fetches.
    const challenge = takesPrograms && !isScript(request) ? { challenge: CHALLENGE } : {}
    return { ...denial(request, 401), ...challenge }
  }
  const waitToken = cookies.read(request.cookie, 'wait') ?? services.newToken()
  const query = new URLSearchParams({ to: place.address(), state: hashToken(waitToken) })
  if (kind === 'step-up') query.set('policy', visit.policy)
  return {
    kind: 'redirect',
    location: `${settings.origin}/enter?${query}`,
    cookies: [cookies.set('wait', waitToken)],
  }
}

function denial(
  request: AuthorizerRequest,
  status: DenyStatus,
): AuthorizerAnswer & { readonly kind: 'deny' } {
  return { kind: 'deny', status, body: isScript(request) ? 'json' : 'page' }
}

/** Whether a person would see what the answer leads to; whatever carries data or shows credentials is answered itself. */
function isNavigation({
  method,
  authorization,
  fetchMode,
  requestedWith,
  accept,
}: AuthorizerRequest): boolean {
  if ((method !== 'GET' && method !== 'HEAD') || authorization !== undefined || requestedWith !== undefined) {
    return false
  }
  return fetchMode === undefined ? accept?.includes('text/html') === true : fetchMode === 'navigate'
}

function isScript({ fetchMode, requestedWith, accept }: AuthorizerRequest): boolean {
  if (requestedWith !== undefined || (fetchMode !== undefined && fetchMode !== 'navigate')) return true
  return accept?.includes('application/json') === true && !accept.includes('text/html')
}
