import {
  type AccessDecision,
  type AccessFacts,
  type AccessReason,
  decideAccess,
  toldGroups,
} from '../domain/access.ts'
import type { AuthenticationMethod } from '../domain/login.ts'
import type { UnixSeconds } from '../domain/time.ts'
import { hashToken, type Token } from '../domain/token.ts'
import type { UserId } from '../domain/user.ts'
import type { Services } from '../services.ts'
import * as sessions from '../store/sessions.ts'
import { keepSession } from './keep-session.ts'
import { type UseAppPasswordOutcome, useAppPassword } from './use-app-password.ts'

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
  /** When a person proved who they are; a program did not. */
  readonly authTime: UnixSeconds | undefined
  readonly amr: readonly (AuthenticationMethod | 'app-password')[]
}

export type AuthorizeOutcome =
  | ({ readonly kind: 'allow' } & Admitted)
  | {
      readonly kind: Exclude<AccessDecision['kind'], 'allow'>
      readonly why: AccessReason | 'unknown-policy'
      /** Why the app password that came was refused. */
      readonly refused?: AppPasswordRefused
    }

type AppPasswordRefused = Extract<UseAppPasswordOutcome, { kind: 'refused' }>['reason']

/** Somebody who shows something, and what the application would learn of them. */
interface Found {
  readonly who: NonNullable<AccessFacts['who']>
  readonly admitted: Admitted
}

/**
 * Whether a request may enter a protected place, decided anew each time (SEC-SES-7, SEC-SES-15).
 *
 * Credentials go before the cookie, so that a program is told when they are wrong. A policy that takes no app passwords
 * does not look at them.
 */
export async function authorizeRequest(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'policy'>,
  request: ProtectedRequest,
): Promise<AuthorizeOutcome> {
  const now = services.now()
  const { address, credentials } = request
  const policy = services.policy.accessPolicy(request.policy)
  if (policy === undefined) return { kind: 'forbidden', why: 'unknown-policy' }
  const found =
    credentials !== undefined && policy.access.includes('app-password')
      ? await byAppPassword(services, request, credentials)
      : await bySession(services, request, now)
  const known = typeof found === 'object' ? found : undefined
  const decision = decideAccess(policy, { who: known?.who, address, now })
  if (decision.kind === 'allow' && known !== undefined) {
    const { admitted } = known
    return { kind: 'allow', ...admitted, groups: toldGroups(policy, admitted.groups) }
  }
  // Nobody is never allowed; were it so, it is a sign-in that is asked for.
  const { kind, why } = decision.kind === 'allow' ? ({ kind: 'sign-in', why: 'nobody' } as const) : decision
  return typeof found === 'string' ? { kind, why, refused: found } : { kind, why }
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
    who: { by: 'session', username, groups, amr, authTime },
    admitted: { userId, username, groups, amr, authTime },
  }
}

async function byAppPassword(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'policy'>,
  { policy, address }: ProtectedRequest,
  credentials: NonNullable<ProtectedRequest['credentials']>,
): Promise<Found | AppPasswordRefused> {
  const outcome = await useAppPassword(services, { ...credentials, policy, address })
  if (outcome.kind === 'refused') return outcome.reason
  const { user, groups } = outcome
  const { id: userId, username } = user
  return {
    who: { by: 'app-password', username, groups },
    admitted: { userId, username, groups, amr: ['app-password'], authTime: undefined },
  }
}
