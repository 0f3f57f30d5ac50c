import {
  APP_PASSWORDS_MAXIMUM,
  APP_SECRET_BYTES,
  appPasswordEnd,
  appSecretFrom,
  formatAppPassword,
  hashAppSecret,
  mayMakeFor,
  takesAppPasswords,
} from '../domain/app-password.ts'
import { DEVICE_NAME_MAXIMUM, label } from '../domain/label.ts'
import { isFresh, type SessionWithUser } from '../domain/session.ts'
import type { UnixSeconds } from '../domain/time.ts'
import type { UserId } from '../domain/user.ts'
import type { Services } from '../services.ts'
import * as appPasswords from '../store/app-passwords.ts'
import type { Db } from '../store/database.ts'
import * as sessions from '../store/sessions.ts'
import * as users from '../store/users.ts'
import { type Caller, type Operator, record } from './caller.ts'

/** What an app password is to be for. */
export interface NewAppPassword {
  readonly name: string
  /** Names of access policies that app passwords may open. */
  readonly policies: readonly string[]
  /** How long it lasts; `undefined` for as long as the settings allow. */
  readonly days: number | undefined
}

/** Shown once, now, and never again. */
export interface MadeAppPassword {
  readonly kind: 'made'
  readonly id: string
  /** In the form in which it is kept. */
  readonly name: string
  readonly appPassword: string
  readonly expiresAt: UnixSeconds | undefined
}

/** Why what was asked for cannot be made, whoever asks. */
export type UnsuitableAppPassword =
  | { readonly kind: 'unsuitable-name' }
  /** No such policy, or it does not take app passwords; also when none was named. */
  | { readonly kind: 'unsuitable-policy'; readonly policy: string | undefined }
  | { readonly kind: 'unsuitable-lifetime'; readonly longestDays: number }
  | { readonly kind: 'too-many'; readonly maximum: number }

export type MakeAppPasswordOutcome = MadeAppPassword | UnsuitableAppPassword | { readonly kind: 'stale' }

type Needed = Pick<Services, 'db' | 'now' | 'newId' | 'entropy' | 'policy'>

/** Makes an app password of one's own; needs a session whose proof is as strong as the account has, and fresh (SEC-AUTH-10). */
export async function makeAppPassword(
  services: Needed,
  { session, user }: SessionWithUser,
  { wanted, caller }: { readonly wanted: NewAppPassword; readonly caller: Caller },
): Promise<MakeAppPasswordOutcome> {
  const now = services.now()
  if (!isFresh(session, user, services.policy.session, now)) return { kind: 'stale' }
  const drafted = draft(services, wanted, now)
  if (drafted.kind !== 'drafted') return drafted
  const tooStrong = drafted.policies.find((name) => {
    const policy = services.policy.accessPolicy(name)
    return policy === undefined || !mayMakeFor(policy, session.amr)
  })
  if (tooStrong !== undefined) return { kind: 'unsuitable-policy', policy: tooStrong }
  return services.db.transaction().execute(async (tx): Promise<MakeAppPasswordOutcome> => {
    // Whoever changed the password or reset the factors ended every app password; none may appear after that.
    const isCurrent = await users.holdEpoch(tx, user.id, user.epoch)
    if (!isCurrent || !(await sessions.exists(tx, session.id))) return { kind: 'stale' }
    return store(tx, services, drafted, { userId: user.id, by: caller, now })
  })
}

export type MakeAppPasswordForOutcome =
  | MadeAppPassword
  | UnsuitableAppPassword
  | { readonly kind: 'no-such-user' }
  | { readonly kind: 'disabled' }

/** Makes an app password for a user at the operator's word, also for one that no person signs in as. */
export async function makeAppPasswordFor(
  services: Needed,
  username: string,
  { wanted, by }: { readonly wanted: NewAppPassword; readonly by: Operator },
): Promise<MakeAppPasswordForOutcome> {
  const now = services.now()
  const user = await users.findByUsername(services.db, username)
  if (user === undefined) return { kind: 'no-such-user' }
  const drafted = draft(services, wanted, now)
  if (drafted.kind !== 'drafted') return drafted
  return services.db.transaction().execute(async (tx): Promise<MakeAppPasswordForOutcome> => {
    if (!(await users.hold(tx, user.id))) return { kind: 'no-such-user' }
    const current = await users.findById(tx, user.id)
    if (current === undefined || current.disabled) return { kind: 'disabled' }
    return store(tx, services, drafted, { userId: user.id, by, now })
  })
}

interface Draft {
  readonly kind: 'drafted'
  readonly name: string
  readonly policies: readonly string[]
  readonly expiresAt: UnixSeconds | undefined
}

/** What is to be made, or why it may not be. */
function draft(
  { policy }: Pick<Services, 'policy'>,
  wanted: NewAppPassword,
  now: UnixSeconds,
): Draft | UnsuitableAppPassword {
  const name = label(wanted.name, DEVICE_NAME_MAXIMUM)
  if (name === undefined) return { kind: 'unsuitable-name' }
  const policies = [...new Set(wanted.policies)]
  const unsuitable = policies.find((each) => !takesAppPasswords(policy.accessPolicy(each)))
  if (unsuitable !== undefined || policies.length === 0)
    return { kind: 'unsuitable-policy', policy: unsuitable }
  const { longestDays } = policy.appPasswords
  const end = appPasswordEnd(wanted.days, longestDays, now)
  if (end === undefined) return { kind: 'unsuitable-lifetime', longestDays }
  return { kind: 'drafted', name, policies, expiresAt: end === 'never' ? undefined : end }
}

/** Stores one for a user whose row the transaction holds, so that of many at once none goes over the limit. */
async function store(
  tx: Db,
  services: Needed,
  { name, policies, expiresAt }: Draft,
  { userId, by, now }: { userId: UserId; by: Caller | Operator; now: UnixSeconds },
): Promise<MadeAppPassword | UnsuitableAppPassword> {
  const maximum = APP_PASSWORDS_MAXIMUM
  if ((await appPasswords.count(tx, userId)) >= maximum) return { kind: 'too-many', maximum }
  const secret = appSecretFrom(services.entropy(APP_SECRET_BYTES))
  const id = services.newId()
  await appPasswords.insert(tx, {
    ...{ id, userId, name, policies, createdAt: now, expiresAt },
    secretHash: hashAppSecret(secret),
  })
  const event = { event: 'app-password-made', appPasswordId: id, name, policies } as const
  await record(services, tx, { now, by, userId }, event)
  return { kind: 'made', id, name, appPassword: formatAppPassword(secret), expiresAt }
}
