import { groupNameProblem } from '../domain/group.ts'
import { DISPLAY_NAME_MAXIMUM, label } from '../domain/label.ts'
import type { PasswordProblem } from '../domain/password/policy.ts'
import type { UnixSeconds } from '../domain/time.ts'
import { type UserId, type UsernameProblem, usernameProblem } from '../domain/user.ts'
import type { Services } from '../services.ts'
import type { Db } from '../store/database.ts'
import * as groups from '../store/groups.ts'
import * as passwordHashes from '../store/password-hashes.ts'
import * as users from '../store/users.ts'
import { type Administrator, type Caller, type Operator, record } from './caller.ts'
import { problemOf } from './change-password.ts'

export type CreateUserOutcome =
  | InsertUserOutcome
  | UnsuitableUser
  | { readonly kind: 'unsuitable-password'; readonly problem: PasswordProblem }
  | { readonly kind: 'busy' }

/** Names that nobody may have. */
export type UnsuitableUser =
  | { readonly kind: 'unsuitable-username'; readonly problem: UsernameProblem }
  | { readonly kind: 'unsuitable-display-name' }

export type InsertUserOutcome =
  | { readonly kind: 'created'; readonly id: UserId }
  | { readonly kind: 'username-taken' }
  | { readonly kind: 'no-such-group'; readonly group: string }

export interface NewUser {
  readonly username: string
  readonly displayName: string
  readonly isSuperuser: boolean
  /** Without a password the user cannot sign in until one is set. */
  readonly password: string | undefined
  readonly mustChangePassword: boolean
  readonly groups: readonly string[]
}

/** Makes a user. The username is compared in canonical form with those that exist (SEC-INP-7). */
export async function createUser(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'hasher' | 'policy' | 'passwordLists'>,
  user: NewUser,
  by: Operator,
): Promise<CreateUserOutcome> {
  const now = services.now()
  const names = suitableNames(user)
  if (names.kind !== 'suitable') return names
  const passwordWrong = user.password === undefined ? undefined : problemOf(services, user, user.password)
  if (passwordWrong !== undefined) return { kind: 'unsuitable-password', problem: passwordWrong }
  using turn = services.hasher.enter()
  if (turn === undefined) return { kind: 'busy' }
  const hash = user.password === undefined ? undefined : await turn.hash(user.password)

  return services.db.transaction().execute(async (tx): Promise<CreateUserOutcome> => {
    const inserted = await insertUser(tx, services, { ...user, ...names }, { by, now })
    if (inserted.kind === 'created' && hash !== undefined) {
      await passwordHashes.put(tx, inserted.id, { hash, mustChange: user.mustChangePassword, now })
    }
    return inserted
  })
}

/** The names as they are kept, or why nobody may have them. */
export function suitableNames(user: {
  readonly username: string
  readonly displayName: string
}): { readonly kind: 'suitable'; readonly displayName: string } | UnsuitableUser {
  const problem = usernameProblem(user.username)
  if (problem !== undefined) return { kind: 'unsuitable-username', problem }
  const displayName = user.displayName === '' ? '' : label(user.displayName, DISPLAY_NAME_MAXIMUM)
  if (displayName === undefined) return { kind: 'unsuitable-display-name' }
  return { kind: 'suitable', displayName }
}

/** Stores a user of suitable names, without a password, in their groups; by nobody else it is by the user. */
export async function insertUser(
  tx: Db,
  services: Pick<Services, 'newId'>,
  user: Omit<NewUser, 'password' | 'mustChangePassword'>,
  { by, now }: { by: Administrator | Caller; now: UnixSeconds },
): Promise<InsertUserOutcome> {
  for (const group of user.groups) {
    const known = groupNameProblem(group) === undefined && (await groups.hold(tx, group))
    if (!known) return { kind: 'no-such-group', group }
  }
  const id = services.newId() as UserId // A new identifier is nobody else's.
  if (!(await users.insert(tx, { ...user, id }, now))) return { kind: 'username-taken' }
  for (const group of user.groups) await groups.addMember(tx, group, id)
  const event = { event: 'user-created', isSuperuser: user.isSuperuser } as const
  await record(services, tx, { now, by, userId: id }, event)
  return { kind: 'created', id }
}
