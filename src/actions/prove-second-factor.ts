import { nextStep } from '../domain/login.ts'
import { canonicalCode } from '../domain/otp/code.ts'
import { parseImportedCode } from '../domain/otp/imported-code.ts'
import { parseRecoveryCode, type RecoveryCode } from '../domain/otp/recovery-code.ts'
import type { PasswordHash } from '../domain/password/hash-parameters.ts'
import type { User } from '../domain/user.ts'
import type { HashTurn, Services } from '../services.ts'
import * as appPasswords from '../store/app-passwords.ts'
import type { Db } from '../store/database.ts'
import * as otpDevices from '../store/otp-devices.ts'
import * as recoveryCodes from '../store/recovery-codes.ts'
import * as sessions from '../store/sessions.ts'
import * as users from '../store/users.ts'
import { type Advanced, advanceLogin, standingOf } from './advance-login.ts'
import { codeBudget } from './budgets.ts'
import { record } from './caller.ts'
import { importedCodeHash } from './imported-code-hash.ts'
import { matchCode } from './match-code.ts'
import {
  type Attempt,
  droppedNotAwaited,
  type Proof,
  type ProofRefusal,
  proveByDevice,
  refusalContext,
  settleBefore,
  settleProven,
  weighProof,
  wrongCode,
} from './prove-by-device.ts'
import {
  dropAttempt,
  forgetAttempts,
  holdBudgets,
  refundAttempt,
  settleAttempt,
  spendAttempt,
} from './spend-attempt.ts'

export type ProofOutcome =
  | Advanced
  | ProofRefusal
  | { readonly kind: 'wrong-code' }
  /** A code was given, but no device or pending enrolment is there to check it against. */
  | { readonly kind: 'enrolment-required' }
  | { readonly kind: 'busy' }

export type ProofServices = Pick<Services, 'db' | 'newId' | 'newToken' | 'hasher' | 'sealer' | 'policy'>

interface LoginProof extends Proof {
  /** The caller's place in the hash queue, if it has one already. */
  readonly turn?: HashTurn
}

/**
 * The second factor of a login, by a code of any device, a recovery code, or the first code of an enrolment.
 *
 * The attempt is charged before the secret is looked at, on the user, whichever kind of code it is.
 */
export async function proveSecondFactor(services: ProofServices, proof: LoginProof): Promise<ProofOutcome> {
  const recovery = parseRecoveryCode(proof.text)
  return recovery === undefined
    ? proveByCode(services, proof)
    : proveByRecoveryCode(services, proof, recovery)
}

/**
 * Charge, comparison, claim and session are one transaction: parallel requests come one after another, and what is
 * weighed before the code is looked at is charged unless the code is right.
 */
async function proveByCode(services: ProofServices, proof: Proof): Promise<ProofOutcome> {
  const { login, caller, now } = proof
  const proving = services.db.transaction().execute(async (tx): Promise<ProofOutcome> => {
    const weighed = await weighProof(tx, services, proof)
    if (weighed.kind !== 'weighed') return weighed
    const { attempt } = weighed
    const { user, devices, spent } = attempt
    const step = nextStep(login.amr, standingOf(user, devices), services.policy.enrolment)
    const imported = parseImportedCode(proof.text)
    if (step === 'totp' && imported !== undefined) {
      const proven = await proveByImportedCode(tx, services, attempt, imported)
      // Eight digits may be those of an authenticator as well.
      if (proven.kind !== 'wrong-code') return proven
      if (canonicalCode(proof.text) === undefined) return wrongCode(tx, services, attempt, 'wrong-code')
    }
    if (step === 'totp') {
      return proveByDevice(tx, services, attempt, () => {
        const proven = { ...login, amr: [...login.amr, 'otp' as const] }
        return advanceLogin(tx, services, proven, { user, devices, caller, now })
      })
    }
    const mayEnrol = step === 'enrol-totp' || (step === 'done' && !user.hasSecondFactor)
    const pending = mayEnrol ? await otpDevices.findPending(tx, user.id, now) : undefined
    if (pending !== undefined) return proveByEnrolment(tx, services, { ...attempt, pending })
    if (!mayEnrol) return droppedNotAwaited(tx, spent)
    await dropAttempt(tx, spent)
    await record(services, tx, refusalContext(proof), { event: 'code-refused', reason: 'no-enrolment' })
    return { kind: 'enrolment-required' }
  })
  return proving.catch((error: unknown) => {
    if (error instanceof EnrolmentUndone) return { kind: 'not-awaited' }
    throw error
  })
}

/**
 * A code that another program made: looked up by its keyed hash, and spent by being found. A wrong one is for
 * the caller to charge.
 */
async function proveByImportedCode(
  tx: Db,
  services: ProofServices,
  attempt: Attempt,
  code: string,
): Promise<ProofOutcome> {
  const { proof, user, spent } = attempt
  const hash = importedCodeHash(services, user.id, code)
  if (!(await recoveryCodes.spendImported(tx, user.id, hash))) return { kind: 'wrong-code' }
  await settleProven(tx, proof, () => forgetAttempts(tx, spent))
  return recovered(tx, services, attempt)
}

/** The first code of an enrolment proves possession and is used by it (SEC-OTP-8). */
async function proveByEnrolment(
  tx: Db,
  services: ProofServices,
  attempt: Attempt & { readonly pending: otpDevices.OtpDevice },
): Promise<ProofOutcome> {
  const { proof, user, pending, spent } = attempt
  const { now, caller, login } = proof
  const code = canonicalCode(proof.text)
  if (code === undefined) return wrongCode(tx, services, attempt, 'malformed')
  const match = matchCode(services, [pending], code, now)
  if (match.kind !== 'totp') return wrongCode(tx, services, attempt, 'wrong-code')
  if (!(await otpDevices.claimConfirmation(tx, pending.id, { ...match, now }))) {
    return wrongCode(tx, services, attempt, 'no-enrolment')
  }
  if (!(await bindFirstFactor(tx, user))) throw new EnrolmentUndone()
  await settleProven(tx, proof, () => forgetAttempts(tx, spent))
  await record(
    services,
    tx,
    { now, by: caller, userId: user.id },
    { event: 'device-confirmed', deviceId: pending.id, name: pending.name },
  )
  const bound = { ...user, hasSecondFactor: true, epoch: user.epoch + 1 }
  const amr = [...login.amr.filter((method) => method !== 'otp'), 'otp' as const]
  const advanced = await advanceLogin(
    tx,
    services,
    { ...login, amr, epoch: bound.epoch },
    { user: bound, devices: [{ ...pending, confirmed: true }], caller, now },
  )
  if (advanced.kind === 'not-awaited') throw new EnrolmentUndone()
  return advanced
}

/** Undoes the transaction: the login ended or the user changed, so nothing may be bound by it. */
class EnrolmentUndone extends Error {}

/**
 * From now on the password alone opens nothing: what it had opened before ends (SEC-SES-9), and so does a login
 * whose password was checked before this moment, by the epoch.
 */
async function bindFirstFactor(tx: Db, user: User): Promise<boolean> {
  if (!(await users.claimEpoch(tx, user.id, user.epoch))) return false
  await users.setSecondFactor(tx, user.id, true)
  await sessions.removeAll(tx, user.id)
  await appPasswords.removeAll(tx, user.id)
  return true
}

/**
 * A recovery code is hashed like a password, so the charge is committed first and the hash is computed outside
 * of transactions; then one delete of that very hash spends it.
 */
async function proveByRecoveryCode(
  services: ProofServices,
  proof: LoginProof,
  { index, secret }: RecoveryCode,
): Promise<ProofOutcome> {
  const { login, now } = proof
  using entered = proof.turn === undefined ? services.hasher.enter() : undefined
  const turn = proof.turn ?? entered
  if (turn === undefined) return { kind: 'busy' }
  const budget = codeBudget(services, login.userId)
  const charged = await services.db.transaction().execute(async (tx) => {
    const spent = await spendAttempt(tx, [budget], now)
    await settleBefore(tx, proof)
    const hash =
      spent.kind === 'charged' ? await recoveryCodes.findHash(tx, login.userId, index, now) : undefined
    return { spent, hash }
  })
  const { spent, hash } = charged
  if (spent.kind === 'throttled') return { ...spent, budget: 'code' }
  const matches = await turn.verify(hash, secret).catch(async (error: unknown) => {
    // The queue was too slow, and the code was never looked at.
    await services.db.transaction().execute((tx) => refundAttempt(tx, [budget]))
    throw error
  })

  return services.db.transaction().execute(async (tx) => {
    await holdBudgets(tx, [budget])
    if (proof.password?.when === 'proven') await proof.password.hold(tx)
    const user = await users.findById(tx, login.userId)
    if (user === undefined || user.disabled || user.epoch !== login.epoch)
      return { kind: 'not-awaited' as const }
    const devices = await otpDevices.listConfirmed(tx, user.id)
    const attempt = { proof, user, devices, spent, isCharged: true, budget }
    const step = nextStep(login.amr, standingOf(user, devices), services.policy.enrolment)
    if (!matches || hash === undefined || step !== 'totp')
      return wrongCode(tx, services, attempt, 'wrong-code')
    if (!(await spend(tx, user, index, hash))) return wrongCode(tx, services, attempt, 'repeated')
    await settleProven(tx, proof, () => settleAttempt(tx, [budget]))
    return recovered(tx, services, attempt)
  })
}

/** A code for an emergency was spent: the login goes on, and whoever reads the log sees how. */
async function recovered(tx: Db, services: ProofServices, attempt: Attempt): Promise<ProofOutcome> {
  const { proof, user, devices } = attempt
  const { now, caller, login } = proof
  const amr = [...login.amr, 'recovery' as const]
  const remaining = await recoveryCodes.countLeft(tx, user.id, now)
  await record(services, tx, { now, by: caller, userId: user.id }, { event: 'recovery-code-used', remaining })
  return advanceLogin(tx, services, { ...login, amr }, { user, devices, caller, now })
}

const spend = (tx: Db, user: User, index: number, hash: PasswordHash): Promise<boolean> =>
  recoveryCodes.spend(tx, user.id, index, hash)
