import { groupNameProblem } from '../domain/group.ts'
import { DISPLAY_NAME_MAXIMUM, label } from '../domain/label.ts'
import type { PasswordProblem } from '../domain/password/policy.ts'
import { type UserId, type UsernameProblem, usernameProblem } from '../domain/user.ts'
import type { Services } from '../services.ts'
import * as groups from '../store/groups.ts'
import * as passwordHashes from '../store/password-hashes.ts'
import * as users from '../store/users.ts'
import { type Operator, record } from './caller.ts'
import { problemOf } from './change-password.ts'

export type CreateUserOutcome =
  | { readonly kind: 'created'; readonly id: UserId }
  | { readonly kind: 'unsuitable-username'; readonly problem: UsernameProblem }
  | { readonly kind: 'unsuitable-display-name' }
  | { readonly kind: 'unsuitable-password'; readonly problem: PasswordProblem }
  | { readonly kind: 'username-taken' }
  | { readonly kind: 'no-such-group'; readonly group: string }
  | { readonly kind: 'busy' }

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
  const usernameWrong = usernameProblem(user.username)
  if (usernameWrong !== undefined) return { kind: 'unsuitable-username', problem: usernameWrong }
  const displayName = user.displayName === '' ? '' : label(user.displayName, DISPLAY_NAME_MAXIMUM)
  if (displayName === undefined) return { kind: 'unsuitable-display-name' }
  const passwordWrong = user.password === undefined ? undefined : problemOf(services, user, user.password)
  if (passwordWrong !== undefined) return { kind: 'unsuitable-password', problem: passwordWrong }
  using turn = services.hasher.enter()
  if (turn === undefined) return { kind: 'busy' }
  const hash = user.password === undefined ? undefined : await turn.hash(user.password)

  const id = services.newId() as UserId
  return services.db.transaction().execute(async (tx): Promise<CreateUserOutcome> => {
    for (const group of user.groups) {
      const known = groupNameProblem(group) === undefined && (await groups.hold(tx, group))
      if (!known) return { kind: 'no-such-group', group }
    }
    if (!(await users.insert(tx, { ...user, displayName, id }, now))) return { kind: 'username-taken' }
    if (hash !== undefined) {
      await passwordHashes.put(tx, id, { hash, mustChange: user.mustChangePassword, now })
    }
    for (const group of user.groups) await groups.addMember(tx, group, id)
    const event = { event: 'user-created', isSuperuser: user.isSuperuser } as const
    await record(services, tx, { now, by, userId: id }, event)
    return { kind: 'created', id }
  })
}
