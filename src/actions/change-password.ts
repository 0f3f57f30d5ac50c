import { secondFactorDemanded } from '../domain/login.ts'
import type { PasswordHash } from '../domain/password/hash-parameters.ts'
import { normalizePassword, type PasswordProblem, passwordProblem } from '../domain/password/policy.ts'
import type { SessionWithUser } from '../domain/session.ts'
import { isFresh } from '../domain/session.ts'
import type { Seconds, UnixSeconds } from '../domain/time.ts'
import { hashToken, type Token, type TokenHash } from '../domain/token.ts'
import type { User } from '../domain/user.ts'
import type { Services } from '../services.ts'
import * as appPasswords from '../store/app-passwords.ts'
import type { Db } from '../store/database.ts'
import * as invitations from '../store/invitations.ts'
import * as knownBrowsers from '../store/known-browsers.ts'
import * as logins from '../store/logins.ts'
import * as passwordHashes from '../store/password-hashes.ts'
import * as users from '../store/users.ts'
import { type Caller, record } from './caller.ts'
import { checkPassword, settlePassword } from './check-password.ts'
import { type Renewed, renewSession } from './renew-session.ts'
import { Superseded, supersededOnly } from './superseded.ts'

export type ChangePasswordOutcome =
  | (Renewed & { readonly kind: 'changed' })
  | { readonly kind: 'wrong-password' }
  | { readonly kind: 'unsuitable'; readonly problem: PasswordProblem }
  | { readonly kind: 'stale' }
  | { readonly kind: 'throttled'; readonly wait: Seconds }
  | { readonly kind: 'busy' }
  /** The account changed while this was under way. */
  | { readonly kind: 'superseded' }

type Needed = Pick<
  Services,
  'db' | 'now' | 'newId' | 'newToken' | 'hasher' | 'sealer' | 'policy' | 'passwordLists'
>

/**
 * Changes one's own password, with the current one and a fresh session; every other session ends (SEC-PW-7).
 *
 * App passwords end as well unless the user says otherwise: whoever knew the old password may have made some.
 */
export async function changePassword(
  services: Needed,
  held: SessionWithUser,
  input: {
    readonly current: string
    readonly next: string
    readonly keepAppPasswords?: boolean
    readonly caller: Caller
  },
): Promise<ChangePasswordOutcome> {
  const now = services.now()
  const { user, session } = held
  const { caller, keepAppPasswords = false } = input
  if (!isFresh(session, user, services.policy.session, now)) return { kind: 'stale' }
  const problem = problemOf(services, user, input.next)
  if (problem !== undefined) return { kind: 'unsuitable', problem }

  const credentials = { username: user.username, password: input.current }
  using turn = services.hasher.enter()
  if (turn === undefined) return { kind: 'busy' }
  const check = await checkPassword(services, credentials, { caller, now, turn })
  if (check.kind === 'refused') return { kind: 'wrong-password' }
  if (check.kind !== 'right') return check
  const settle = () => services.db.transaction().execute((tx) => settlePassword(tx, check))
  if (normalizePassword(input.current) === normalizePassword(input.next)) {
    await settle()
    return { kind: 'unsuitable', problem: { kind: 'unchanged' } }
  }
  const hash = await turn.hash(input.next).catch(async (error: unknown) => {
    // The queue was too slow; the current password was right all the same.
    await settle()
    throw error
  })

  const changing = services.db.transaction().execute(async (tx): Promise<ChangePasswordOutcome> => {
    await settlePassword(tx, check)
    if (!(await replacePassword(tx, user, { hash, keepAppPasswords, caller, now })))
      return { kind: 'superseded' }
    const renewed = await renewSession(tx, services, held, { amr: session.amr, caller, now })
    await record(
      services,
      tx,
      { now, by: caller, userId: user.id },
      { event: 'password-changed', reason: 'by-user' },
    )
    return { kind: 'changed', ...renewed }
  })
  return changing.catch(supersededOnly)
}

/** Why the user may not choose this password, if so. */
export function problemOf(
  { policy, passwordLists }: Pick<Services, 'policy' | 'passwordLists'>,
  user: { readonly username: string; readonly displayName: string; readonly isSuperuser: boolean },
  password: string,
): PasswordProblem | undefined {
  const usernames = [user.username, user.displayName].filter((name) => name !== '')
  const about = { usernames, opensAlone: !secondFactorDemanded(user, policy.enrolment) }
  return passwordProblem(password, about, policy.password, passwordLists)
}

/**
 * Stores the new hash; logins under way, other browsers' own budgets and, unless they are to be kept, app passwords end.
 * `false` when the account changed.
 *
 * A change that is the last step of a login takes that login, which may have ended meanwhile: then all is undone.
 */
export async function replacePassword(
  tx: Db,
  user: Pick<User, 'id' | 'epoch'>,
  change: {
    readonly hash: PasswordHash
    readonly login?: TokenHash
    readonly keepAppPasswords?: boolean
    readonly caller: Caller
    readonly now: UnixSeconds
  },
): Promise<boolean> {
  const { hash, login, keepAppPasswords = false, caller, now } = change
  if (!(await users.claimEpoch(tx, user.id, user.epoch))) return false
  if (login !== undefined && !(await logins.take(tx, login))) throw new Superseded()
  await passwordHashes.put(tx, user.id, { hash, mustChange: false, now })
  await invitations.removeOf(tx, user.id)
  await logins.removeAll(tx, user.id)
  await knownBrowsers.removeAll(tx, user.id, keptBrowser(caller.browserToken))
  if (!keepAppPasswords) await appPasswords.removeAll(tx, user.id)
  return true
}

const keptBrowser = (token: Token | undefined) => (token === undefined ? undefined : hashToken(token))
