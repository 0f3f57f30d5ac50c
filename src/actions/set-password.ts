import type { PasswordProblem } from '../domain/password/policy.ts'
import type { Services } from '../services.ts'
import * as attempts from '../store/attempts.ts'
import * as invitations from '../store/invitations.ts'
import * as passwordHashes from '../store/password-hashes.ts'
import * as users from '../store/users.ts'
import { nameKey } from './budgets.ts'
import { type Operator, record } from './caller.ts'
import { problemOf } from './change-password.ts'
import { endEverything } from './end-everything.ts'
import { Superseded, supersededOnly } from './superseded.ts'

export type SetPasswordOutcome =
  | { readonly kind: 'changed' }
  | { readonly kind: 'no-such-user' }
  | { readonly kind: 'unsuitable'; readonly problem: PasswordProblem }
  | { readonly kind: 'busy' }
  /** The account changed while this was under way. */
  | { readonly kind: 'superseded' }

/** Sets a user's password at the operator's word. The second factor stays as it is (SEC-PW-15). */
export async function setPassword(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'hasher' | 'sealer' | 'policy' | 'passwordLists'>,
  input: { readonly username: string; readonly password: string; readonly mustChange: boolean },
  by: Operator,
): Promise<SetPasswordOutcome> {
  const now = services.now()
  const user = await users.findByUsername(services.db, input.username)
  if (user === undefined) return { kind: 'no-such-user' }
  const problem = problemOf(services, user, input.password)
  if (problem !== undefined) return { kind: 'unsuitable', problem }
  using turn = services.hasher.enter()
  if (turn === undefined) return { kind: 'busy' }
  if (user.passwordHash !== undefined && (await turn.verify(user.passwordHash, input.password))) {
    return { kind: 'unsuitable', problem: { kind: 'unchanged' } }
  }
  const hash = await turn.hash(input.password)
  const setting = services.db.transaction().execute(async (tx): Promise<SetPasswordOutcome> => {
    await attempts.clear(tx, [nameKey(services.sealer, user.username)])
    if (!(await users.claimEpoch(tx, user.id, user.epoch))) throw new Superseded()
    await passwordHashes.put(tx, user.id, { hash, mustChange: input.mustChange, now })
    await invitations.removeOf(tx, user.id)
    await endEverything(tx, user.id, now)
    await record(
      services,
      tx,
      { now, by, userId: user.id },
      { event: 'password-changed', reason: 'by-operator' },
    )
    return { kind: 'changed' }
  })
  return setting.catch(supersededOnly)
}
