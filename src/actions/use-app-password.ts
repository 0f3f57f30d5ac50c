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
import type { UnixSeconds } from '../domain/time.ts'
import { normalizeUsername } from '../domain/user.ts'
import type { Services } from '../services.ts'
import * as appPasswords from '../store/app-passwords.ts'
import * as auditLog from '../store/audit-log.ts'
import * as users from '../store/users.ts'
import { record } from './caller.ts'

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

/** A refusal is written down at most this often a user, so that no program that tries again and again fills the log. */
const REFUSAL_INTERVAL = 60

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
    await recordRefusal(services, { appPassword, reason, credentials, now })
    return { kind: 'refused', reason }
  }
  if (isUseStale(appPassword, now)) {
    await appPasswords.touch(db, appPassword.id, { now, address, before: now - USE_INTERVAL })
  }
  const { id, name, expiresAt } = appPassword
  return { kind: 'allowed', user, groups, appPassword: { id, name, expiresAt } }
}

/** Somebody holds a secret that was made here, and it opens nothing: worth an event, but not one for each try. */
async function recordRefusal(
  services: Pick<Services, 'db' | 'newId'>,
  refusal: {
    readonly appPassword: AppPassword
    readonly reason: AppPasswordRefusal
    readonly credentials: BasicCredentials
    readonly now: UnixSeconds
  },
): Promise<void> {
  const { appPassword, reason, credentials, now } = refusal
  const { id: appPasswordId, userId, name } = appPassword
  const event = 'app-password-refused'
  const isRecorded = (db: Services['db']) => auditLog.wasRecorded(db, userId, event, now - REFUSAL_INTERVAL)
  // Most tries of a flood end here, with a look and no write.
  if (await isRecorded(services.db)) return
  const { address, policy, userAgent = '', requestId = '' } = credentials
  await services.db.transaction().execute(async (tx) => {
    // Of many at once one writes: the row of the user puts them in order.
    if (!(await users.hold(tx, userId)) || (await isRecorded(tx))) return
    const by = { address, userAgent, requestId }
    const told = { event, appPasswordId, name, reason, policy: policy.slice(0, 64) } as const
    await record(services, tx, { now, by, userId, proven: false }, told)
  })
}
