import { hashToken, type Token } from '../domain/token.ts'
import type { Services } from '../services.ts'
import * as sessions from '../store/sessions.ts'
import * as siteSessions from '../store/site-sessions.ts'
import * as tickets from '../store/tickets.ts'

/** Turns a ticket into the token by which one protected host knows the browser; `undefined` if it is not theirs. */
export async function takeTicket(
  services: Pick<Services, 'db' | 'now' | 'newToken'>,
  given: { readonly ticket: Token; readonly waitToken: Token; readonly host: string },
): Promise<Token | undefined> {
  const now = services.now()
  const { host } = given
  const siteToken = services.newToken()
  return services.db.transaction().execute(async (tx) => {
    const ticketHash = hashToken(given.ticket)
    const sessionId = await tickets.findSession(tx, ticketHash)
    // The session before what hangs on it, as for whoever ends it: else each could wait for the other.
    if (sessionId === undefined || !(await sessions.hold(tx, sessionId))) return undefined
    const binding = { host, stateHash: hashToken(given.waitToken), now }
    if ((await tickets.take(tx, ticketHash, binding)) === undefined) return undefined
    await siteSessions.replace(tx, { tokenHash: hashToken(siteToken), sessionId, host }, now)
    return siteToken
  })
}
