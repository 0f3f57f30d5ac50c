import type { Seconds } from './time.ts'
import type { Token } from './token.ts'

/** How long an invitation may be used (SEC-PW-13). */
export const INVITATION_LIFETIME: Seconds = 24 * 3600

/** How long the address that makes the first user may be used. */
export const SETUP_LIFETIME: Seconds = 3600

/**
 * The link to hand over. The token stands in the fragment, which no browser sends and no log sees; the page
 * exchanges it by POST, so that a mail scanner that follows the link changes nothing (SEC-REC-11).
 *
 * @param origin of this installation by its settings, never by what a request says.
 */
export const invitationLink = (origin: string, token: Token): string => `${origin}/invite#${token}`

/** As `invitationLink`, for making the first user. */
export const setupLink = (origin: string, token: Token): string => `${origin}/setup#${token}`
