import type { PasswordHash } from '../domain/password/hash-parameters.ts'
import type { PasswordProblem } from '../domain/password/policy.ts'
import type { UnixSeconds } from '../domain/time.ts'
import { hashToken, type Token, type TokenHash } from '../domain/token.ts'
import type { Services } from '../services.ts'
import * as attempts from '../store/attempts.ts'
import type { Db } from '../store/database.ts'
import * as invitations from '../store/invitations.ts'
import * as otpDevices from '../store/otp-devices.ts'
import * as passwordHashes from '../store/password-hashes.ts'
import * as users from '../store/users.ts'
import { type Advanced, advanceLogin } from './advance-login.ts'
import { nameKey } from './budgets.ts'
import { type Caller, record } from './caller.ts'
import { problemOf } from './change-password.ts'
import { endEverything } from './end-everything.ts'
import { Superseded, supersededOnly } from './superseded.ts'

export type AcceptInvitationOutcome =
  | Exclude<Advanced, { kind: 'not-awaited' }>
  /** Never made, used, replaced or over. */
  | { readonly kind: 'no-such-invitation' }
  | { readonly kind: 'unsuitable'; readonly problem: PasswordProblem }
  | { readonly kind: 'busy' }

type Needed = Pick<
  Services,
  'db' | 'now' | 'newId' | 'newToken' | 'hasher' | 'sealer' | 'policy' | 'passwordLists'
>

/**
 * Uses an invitation up: sets the password that its user chose, ends what was open, and begins a login.
 *
 * It proves no second factor: whoever has one is asked for it next. Nothing is charged for a token that nobody
 * made, because 256 random bits are not guessed (SEC-SES-2), and nothing is hashed for it.
 */
export async function acceptInvitation(
  services: Needed,
  input: { readonly code: Token; readonly password: string },
  caller: Caller,
): Promise<AcceptInvitationOutcome> {
  const { db } = services
  const now = services.now()
  const tokenHash = hashToken(input.code)
  const found = await invitations.findByToken(db, tokenHash, now)
  const user = found?.kind === 'invite' ? await users.findById(db, found.userId) : undefined
  if (user === undefined || user.disabled) return { kind: 'no-such-invitation' }
  const problem = problemOf(services, user, input.password)
  if (problem !== undefined) return { kind: 'unsuitable', problem }
  using turn = services.hasher.enter()
  if (turn === undefined) return { kind: 'busy' }
  const hash = await turn.hash(input.password)
  const accepting = db
    .transaction()
    .execute((tx) => accept(tx, services, user, { tokenHash, hash, caller, now }))
  return accepting.catch((error: unknown) => {
    supersededOnly(error)
    return { kind: 'no-such-invitation' }
  })
}

async function accept(
  tx: Db,
  services: Needed,
  user: users.UserWithPassword,
  input: { tokenHash: TokenHash; hash: PasswordHash; caller: Caller; now: UnixSeconds },
): Promise<AcceptInvitationOutcome> {
  const { tokenHash, hash, caller, now } = input
  await attempts.clear(tx, [nameKey(services.sealer, user.username)])
  if (!(await users.claimEpoch(tx, user.id, user.epoch))) throw new Superseded()
  await passwordHashes.put(tx, user.id, { hash, mustChange: false, now })
  if (!(await invitations.take(tx, tokenHash, now))) throw new Superseded()
  await endEverything(tx, user.id, now)
  const context = { now, by: caller, userId: user.id }
  await record(services, tx, context, { event: 'invitation-used' })
  await record(services, tx, context, { event: 'password-changed', reason: 'by-invitation' })
  const devices = await otpDevices.listConfirmed(tx, user.id)
  const changed = { ...user, mustChangePassword: false, epoch: user.epoch + 1 }
  const login = { userId: user.id, amr: ['pwd'], epoch: changed.epoch } as const
  const advanced = await advanceLogin(tx, services, login, { user: changed, devices, caller, now })
  if (advanced.kind === 'not-awaited') throw new Superseded()
  return advanced
}
