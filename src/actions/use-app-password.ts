import {
  type AppPassword,
  type AppPasswordRefusal,
  appPasswordRefusal,
  hashAppSecret,
  isUseStale,
  parseAppPassword,
  takesAppPasswords,
  USE_INTERVAL,
} from '../domain/app-password.ts'
import type { SessionUser } from '../domain/session.ts'
import { normalizeUsername } from '../domain/user.ts'
import type { Services } from '../services.ts'
import * as appPasswords from '../store/app-passwords.ts'
import { recordRefusal } from './record-refusal.ts'

/** What a program sent by Basic (RFC 7617), and the policy that it is to open. */
export interface BasicCredentials {
  readonly username: string
  readonly password: string
  readonly policy: string
  readonly address: string
  readonly userAgent?: string
  readonly requestId?: string
}

export type UseAppPasswordOutcome =
  | {
      readonly kind: 'allowed'
      readonly user: SessionUser
      readonly groups: readonly string[]
      readonly appPassword: Pick<AppPassword, 'id' | 'name' | 'expiresAt'>
    }
  /** One answer for the program; the reason is for counting alone. */
  | { readonly kind: 'refused'; readonly reason: AppPasswordRefusal | 'no-app-password' | 'unknown' }

/**
 * Whether an app password opens a policy to a username; whether the policy lets this user in is for it to say.
 *
 * Nothing else is a password here: the one that a person signs in with is refused without a look, so Basic is never a
 * way around the second factor (SEC-AUTH-4). Nothing is hashed slowly and nothing charged, because 125 random bits are not
 * guessed, and a program that polls with a revoked one must not lock its owner out. What nobody made costs one look-up,
 * whoever it names, and leaves no event: it is counted by the edge.
 */
export async function useAppPassword(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'policy'>,
  credentials: BasicCredentials,
): Promise<UseAppPasswordOutcome> {
  const { db } = services
  const now = services.now()
  const { username, password, policy, address } = credentials
  const secret = parseAppPassword(password)
  if (secret === undefined) return { kind: 'refused', reason: 'no-app-password' }
  const found = await appPasswords.findBySecret(db, hashAppSecret(secret))
  if (found === undefined) return { kind: 'refused', reason: 'unknown' }
  const { appPassword, user, groups } = found
  const asked = {
    isOwner: normalizeUsername(username) === normalizeUsername(user.username),
    isDisabled: user.disabled,
    // A policy that takes app passwords no more is opened by none, also by those that were made for it.
    policy: takesAppPasswords(services.policy.accessPolicy(policy)) ? policy : undefined,
  }
  const reason = appPasswordRefusal(appPassword, asked, now)
  if (reason !== undefined) {
    const { id: appPasswordId, userId, name } = appPassword
    const event = { event: 'app-password-refused', appPasswordId, name, reason } as const
    const by = { address, userAgent: credentials.userAgent ?? '', requestId: credentials.requestId ?? '' }
    await recordRefusal(services, { ...event, policy: policy.slice(0, 64) }, { userId, by, now })
    return { kind: 'refused', reason }
  }
  if (isUseStale(appPassword, now)) {
    await appPasswords.touch(db, appPassword.id, { now, address, before: now - USE_INTERVAL })
  }
  const { id, name, expiresAt } = appPassword
  return { kind: 'allowed', user, groups, appPassword: { id, name, expiresAt } }
}
