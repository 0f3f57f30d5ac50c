import type { Caller } from '../actions/caller.ts'
import { resumeSession } from '../actions/resume-session.ts'
import type { SessionWithUser } from '../domain/session.ts'
import type { Token } from '../domain/token.ts'
import type { CookieKind } from './cookies.ts'
import type { AppContext, Edge } from './endpoint.ts'
import type { Peer } from './guards/client-address.ts'
import { isCausedElsewhere, isCrossSite } from './guards/cross-site.ts'

/** What is known of every request, whether of a page or of the API, before its route sees it. */
export interface Received {
  readonly caller: Caller
  readonly peer: Peer
  readonly loginToken: Token | undefined
  /** What forms are bound to before there is a login or a session. */
  readonly formToken: Token | undefined
  /** The session of the cookie if it holds; always there on routes that demand one. */
  readonly session: SessionWithUser | undefined
  /** Whether it keeps administration open: what the page of another site caused does not (SEC-AZ-6). */
  readonly isUse: boolean
}

/** Reads who asks, unless another site's page does. */
export async function receive(
  c: AppContext,
  edge: Edge,
  requestId: string,
  { resume, hasFormKey }: { readonly resume: boolean; readonly hasFormKey: boolean },
): Promise<Received | 'cross-site'> {
  const request = c.req.raw
  const { headers } = request
  if (isCrossSite(request, edge.ownOrigins, { hasFormKey })) return 'cross-site'
  const cookieHeader = headers.get('cookie')
  const cookie = (kind: CookieKind) => edge.cookies.read(cookieHeader, kind)
  const sessionToken = cookie('session')
  const session = sessionToken && resume ? await resumeSession(edge.services, sessionToken) : undefined
  const { peer } = c.env
  return {
    caller: {
      address: edge.clientAddress(peer, headers.get('x-forwarded-for')),
      userAgent: (headers.get('user-agent') ?? '').slice(0, 256),
      requestId,
      browserToken: cookie('browser'),
      sessionToken,
    },
    peer,
    loginToken: cookie('login'),
    formToken: cookie('form'),
    session,
    isUse: !isCausedElsewhere(headers),
  }
}
