import { decideAccess } from '../domain/access.ts'
import type { SessionWithUser } from '../domain/session.ts'
import { TICKET_LIFETIME } from '../domain/ticket.ts'
import { hashToken, type Token, type TokenHash } from '../domain/token.ts'
import type { Services } from '../services.ts'
import * as sessions from '../store/sessions.ts'
import * as tickets from '../store/tickets.ts'

/** Where a browser wants to enter. */
export interface Entry {
  /** The origin of the protected host. */
  readonly host: string
  /** Of the token of the browser that waits there: only it can use the ticket (L-55). */
  readonly stateHash: TokenHash
  /** The policy that asked for a better proof than the browser had; absent at a first entry. */
  readonly policy: string | undefined
  readonly address: string
}

export type IssueTicketOutcome =
  | { readonly kind: 'issued'; readonly ticket: Token }
  /** The policy asks for a fresher or stronger proof first. */
  | { readonly kind: 'proof-needed' }
  /** The session was ended meanwhile. */
  | { readonly kind: 'ended' }

/**
 * Makes a ticket by which a protected host takes over the session.
 *
 * The policy here only spares people a way in vain: what a session may enter is decided at each request of the place.
 */
export async function issueTicket(
  services: Pick<Services, 'db' | 'now' | 'newToken' | 'policy'>,
  { session, user, groups }: SessionWithUser,
  { host, stateHash, policy: name, address }: Entry,
): Promise<IssueTicketOutcome> {
  const now = services.now()
  const policy = name === undefined ? undefined : services.policy.accessPolicy(name)
  if (policy !== undefined) {
    const { amr, authTime } = session
    const who = { by: 'session', username: user.username, groups, amr, authTime } as const
    if (decideAccess(policy, { who, address, now }).kind === 'step-up') return { kind: 'proof-needed' }
  }
  const ticket = services.newToken()
  return services.db.transaction().execute(async (tx): Promise<IssueTicketOutcome> => {
    if (!(await sessions.hold(tx, session.id))) return { kind: 'ended' }
    const expiresAt = now + TICKET_LIFETIME
    const tokenHash = hashToken(ticket)
    await tickets.replace(tx, { tokenHash, sessionId: session.id, host, stateHash, now, expiresAt })
    return { kind: 'issued', ticket }
  })
}
