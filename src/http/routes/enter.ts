import { z } from 'zod'
import { issueTicket } from '../../actions/issue-ticket.ts'
import { withTicket } from '../../domain/ticket.ts'
import { parseTokenHash } from '../../domain/token.ts'
import { redirect } from '../page.ts'
import { pageRoute } from '../page-endpoint.ts'
import { errorPage } from '../pages/error-page.ts'
import * as fields from './fields.ts'

const enterQuery = z.object({
  to: fields.returnTo,
  state: z.string().max(64).optional().catch(undefined),
  policy: z.string().max(64).optional().catch(undefined),
})

/**
 * `GET /enter`: from a protected host to its sign-in and back, with a ticket that only the browser that came can use.
 *
 * A GET that writes, because people come by a link: the row it writes opens nothing without the cookie that waits at the
 * host, and is replaced by the next.
 */
export const enter = pageRoute({
  method: 'GET',
  path: '/enter',
  access: 'session',
  query: enterQuery,
  async handle({ session, caller, query, view }, edge) {
    if (session === undefined) return redirect('/login')
    const to = fields.checkedReturnTo(query.to, edge)
    const stateHash = query.state === undefined ? undefined : parseTokenHash(query.state)
    if (to === undefined || to.startsWith('/') || stateHash === undefined) {
      return errorPage(view, 'badRequest', { status: 400 })
    }
    const entry = { host: new URL(to).origin, stateHash, policy: query.policy, address: caller.address }
    const outcome = await issueTicket(edge.services, session, entry)
    switch (outcome.kind) {
      case 'issued':
        return redirect(withTicket(to, outcome.ticket))
      case 'ended':
        return redirect(fields.addressOf('/login', view.here))
      case 'proof-needed':
        // Without a second factor no proof would be strong enough: it is set up first.
        return redirect(
          session.user.hasSecondFactor ? fields.addressOf('/confirm', view.here) : '/account/devices',
        )
    }
  },
})
