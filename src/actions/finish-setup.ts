import type { PasswordProblem } from '../domain/password/policy.ts'
import { hashToken, type Token } from '../domain/token.ts'
import type { User, UserId } from '../domain/user.ts'
import type { Services } from '../services.ts'
import * as attempts from '../store/attempts.ts'
import * as invitations from '../store/invitations.ts'
import * as passwordHashes from '../store/password-hashes.ts'
import * as users from '../store/users.ts'
import { type Advanced, advanceLogin } from './advance-login.ts'
import { type Caller, record } from './caller.ts'
import { problemOf } from './change-password.ts'
import { insertUser, suitableNames, type UnsuitableUser } from './create-user.ts'
import { Superseded, supersededOnly } from './superseded.ts'

export type FinishSetupOutcome =
  | Exclude<Advanced, { kind: 'not-awaited' }>
  /** Never made, replaced or over; starting the server again prints a new one. */
  | { readonly kind: 'no-such-setup' }
  /** There is a user already: sign in, or ask who is one. */
  | { readonly kind: 'done-already' }
  | UnsuitableUser
  | { readonly kind: 'unsuitable-password'; readonly problem: PasswordProblem }
  | { readonly kind: 'busy' }

/** Row that is held while the first user is made: two tokens of two hosts must not make two. */
const SETUP_HOLD = 'hold:setup'

type Needed = Pick<Services, 'db' | 'now' | 'newId' | 'newToken' | 'hasher' | 'policy' | 'passwordLists'>

/** Makes the first superuser by the one-time token of the start, and begins a login that leads to enrolment. */
export async function finishSetup(
  services: Needed,
  input: {
    readonly code: Token
    readonly username: string
    readonly displayName: string
    readonly password: string
  },
  caller: Caller,
): Promise<FinishSetupOutcome> {
  const { db } = services
  const now = services.now()
  const tokenHash = hashToken(input.code)
  // In this order: whoever makes the first user takes the token with it, so a token that is gone shows in the users.
  const invitation = await invitations.findByToken(db, tokenHash, now)
  if (await users.exist(db)) return { kind: 'done-already' }
  if (invitation?.kind !== 'setup') return { kind: 'no-such-setup' }
  const names = suitableNames(input)
  if (names.kind !== 'suitable') return names
  const named = { username: input.username, displayName: names.displayName, isSuperuser: true }
  const problem = problemOf(services, named, input.password)
  if (problem !== undefined) return { kind: 'unsuitable-password', problem }
  using turn = services.hasher.enter()
  if (turn === undefined) return { kind: 'busy' }
  const hash = await turn.hash(input.password)

  const finishing = db.transaction().execute(async (tx): Promise<FinishSetupOutcome> => {
    await attempts.hold(tx, [SETUP_HOLD])
    await attempts.clear(tx, [SETUP_HOLD])
    if (await users.exist(tx)) return { kind: 'done-already' }
    const inserted = await insertUser(tx, services, { ...named, groups: [] }, { by: caller, now })
    if (inserted.kind !== 'created') return { kind: 'done-already' }
    await passwordHashes.put(tx, inserted.id, { hash, mustChange: false, now })
    if (!(await invitations.take(tx, tokenHash, now))) throw new Superseded()
    const user = firstUser(inserted.id, named)
    await record(services, tx, { now, by: caller, userId: user.id }, { event: 'setup-done' })
    const login = { userId: user.id, amr: ['pwd'], epoch: user.epoch } as const
    const advanced = await advanceLogin(tx, services, login, { user, devices: [], caller, now })
    if (advanced.kind === 'not-awaited') throw new Superseded()
    return advanced
  })
  return finishing.catch((error: unknown) => {
    supersededOnly(error)
    return { kind: 'no-such-setup' }
  })
}

/** The user as the transaction stored it. */
const firstUser = (id: UserId, named: Pick<User, 'username' | 'displayName' | 'isSuperuser'>): User => ({
  ...named,
  id,
  disabled: false,
  hasSecondFactor: false,
  mustChangePassword: false,
  epoch: 1,
})
