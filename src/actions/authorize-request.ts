import {
  type AccessDecision,
  type AccessFacts,
  type AccessKind,
  type AccessPolicy,
  type AccessReason,
  decideAccess,
  toldGroups,
} from '../domain/access.ts'
import { parseAppPassword, takesAppPasswords } from '../domain/app-password.ts'
import { takesPasswordCode } from '../domain/code-window.ts'
import { leaseEnd } from '../domain/lease.ts'
import type { AuthenticationMethod } from '../domain/login.ts'
import type { SessionTimes } from '../domain/session.ts'
import type { UnixSeconds } from '../domain/time.ts'
import { hashToken, type Token } from '../domain/token.ts'
import type { UserId } from '../domain/user.ts'
import type { Services } from '../services.ts'
import * as sessions from '../store/sessions.ts'
import { keepSession } from './keep-session.ts'
import { type UseAppPasswordOutcome, useAppPassword } from './use-app-password.ts'
import { type UseCodeWindowOutcome, useCodeWindow } from './use-code-window.ts'

/** One request to a protected place, as far as it decides. */
export interface ProtectedRequest {
  /** The name of the policy, from Apache's own configuration. */
  readonly policy: string
  /** The origin of the host. */
  readonly host: string
  readonly address: string
  /** What the browser holds for this host. */
  readonly siteToken: Token | undefined
  /** What a program sent by Basic. */
  readonly credentials: { readonly username: string; readonly password: string } | undefined
}

/** Who was let in, for the application to know. */
export interface Admitted {
  readonly userId: UserId
  readonly username: string
  /** Those that the application is told of. */
  readonly groups: readonly string[]
  /** When a person proved who they are; an app password is no proof of that. */
  readonly authTime: UnixSeconds | undefined
  readonly by: AccessKind
  readonly amr: readonly (AuthenticationMethod | 'app-password')[]
}

export type AuthorizeOutcome =
  | ({
      readonly kind: 'allow'
      /** How long it may be repeated for the same session without asking; absent for not at all. */
      readonly until?: UnixSeconds
    } & Admitted)
  | {
      readonly kind: Exclude<AccessDecision['kind'], 'allow'>
      readonly why: AccessReason | 'unknown-policy'
      /** Why what a program showed was refused; for counting alone. */
      readonly refused?: Refused
    }
  /** The passwords that wait are too many: come again. */
  | { readonly kind: 'busy' }

type Refused =
  | { readonly by: 'app-password'; readonly reason: RefusalOf<UseAppPasswordOutcome> }
  | { readonly by: 'password-code'; readonly reason: RefusalOf<UseCodeWindowOutcome> }

type RefusalOf<Outcome> =
  Extract<Outcome, { readonly kind: 'refused' }> extends { readonly reason: infer R } ? R : never

/** Somebody who shows something, and what the application would learn of them. */
interface Found {
  readonly kind: 'found'
  readonly who: NonNullable<AccessFacts['who']>
  readonly admitted: Omit<Admitted, 'by'>
  /** Absent for what programs show. */
  readonly session?: SessionTimes
}

type Needed = Pick<Services, 'db' | 'now' | 'newId' | 'hasher' | 'sealer' | 'policy'>

/**
 * Whether a request may enter a protected place, decided anew each time (SEC-SES-7, SEC-SES-15).
 *
 * Credentials go before the cookie, so that a program is told when they are wrong. A policy that takes none of programs
 * does not look at them.
 */
export async function authorizeRequest(
  services: Needed,
  request: ProtectedRequest,
): Promise<AuthorizeOutcome> {
  const now = services.now()
  const { address } = request
  const policy = services.policy.accessPolicy(request.policy)
  if (policy === undefined) return { kind: 'forbidden', why: 'unknown-policy' }
  const nobody = decideAccess(policy, { who: undefined, address, now })
  // From where nobody may enter, nothing is looked at and no code is spent.
  if (nobody.kind === 'forbidden') return nobody
  const found = await whoAsks(services, request, { policy, now })
  if (found?.kind === 'busy') return found
  const known = found?.kind === 'found' ? found : undefined
  const decision = decideAccess(policy, { who: known?.who, address, now })
  if (decision.kind === 'allow' && known !== undefined) {
    const { admitted, who, session } = known
    const until = session && leaseEnd(policy, session, { rules: services.policy.session, now })
    const groups = toldGroups(policy, admitted.groups)
    return { kind: 'allow', ...admitted, groups, by: who.by, ...(until !== undefined && { until }) }
  }
  // Nobody is never allowed; were it so, it is a sign-in that is asked for.
  const { kind, why } = decision.kind === 'allow' ? ({ kind: 'sign-in', why: 'nobody' } as const) : decision
  return found?.kind === 'refused' ? { kind, why, refused: found.refused } : { kind, why }
}

type Shown = Found | { readonly kind: 'refused'; readonly refused: Refused } | { readonly kind: 'busy' }

function whoAsks(
  services: Needed,
  request: ProtectedRequest,
  { policy, now }: { readonly policy: AccessPolicy; readonly now: UnixSeconds },
): Promise<Shown | undefined> {
  const { credentials } = request
  const [appPasswords, codes] = [takesAppPasswords(policy), takesPasswordCode(policy)]
  if (credentials === undefined || !(appPasswords || codes)) return bySession(services, request, now)
  // By its form, so that one that was revoked is never taken for a guess at somebody's password.
  const isAppPassword = parseAppPassword(credentials.password) !== undefined
  return codes && !isAppPassword
    ? byPasswordCode(services, request, { credentials, policy })
    : byAppPassword(services, request, credentials)
}

async function bySession(
  services: Pick<Services, 'db' | 'policy'>,
  { siteToken, host }: ProtectedRequest,
  now: UnixSeconds,
): Promise<Found | undefined> {
  if (siteToken === undefined) return undefined
  const stored = await sessions.findBySiteToken(services.db, hashToken(siteToken), host)
  const held = await keepSession(services, stored, now)
  if (held === undefined) return undefined
  const { session, user, groups } = held
  const { amr, authTime } = session
  const { id: userId, username } = user
  return {
    kind: 'found',
    who: { by: 'session', username, groups, amr, authTime },
    admitted: { userId, username, groups, amr, authTime },
    session,
  }
}

type Credentials = NonNullable<ProtectedRequest['credentials']>

async function byAppPassword(
  services: Needed,
  { policy, address }: ProtectedRequest,
  credentials: Credentials,
): Promise<Shown> {
  const outcome = await useAppPassword(services, { ...credentials, policy, address })
  if (outcome.kind === 'refused') {
    return { kind: 'refused', refused: { by: 'app-password', reason: outcome.reason } }
  }
  const { user, groups } = outcome
  const { id: userId, username } = user
  return {
    kind: 'found',
    who: { by: 'app-password', username, groups },
    admitted: { userId, username, groups, amr: ['app-password'], authTime: undefined },
  }
}

async function byPasswordCode(
  services: Needed,
  { host, address }: ProtectedRequest,
  { credentials, policy }: { readonly credentials: Credentials; readonly policy: AccessPolicy },
): Promise<Shown> {
  const { username: typed, password: credential } = credentials
  const caller = { address, userAgent: '', requestId: '' }
  const outcome = await useCodeWindow(services, { username: typed, credential, policy, host, caller })
  if (outcome.kind === 'busy') return outcome
  if (outcome.kind === 'refused') {
    return { kind: 'refused', refused: { by: 'password-code', reason: outcome.reason } }
  }
  const { user, groups, window } = outcome
  const { id: userId, username } = user
  return {
    kind: 'found',
    who: { by: 'password-code', username, groups, authTime: window.createdAt },
    admitted: { userId, username, groups, amr: ['pwd', 'otp'], authTime: window.createdAt },
  }
}
