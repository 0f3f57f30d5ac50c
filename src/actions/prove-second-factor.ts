import type { CodeRefusal } from '../domain/audit.ts'
import { nextStep } from '../domain/login.ts'
import { canonicalCode } from '../domain/otp/code.ts'
import { parseRecoveryCode, type RecoveryCode } from '../domain/otp/recovery-code.ts'
import type { PasswordHash } from '../domain/password/hash-parameters.ts'
import type { Seconds, UnixSeconds } from '../domain/time.ts'
import type { User } from '../domain/user.ts'
import type { HashTurn, Services } from '../services.ts'
import * as appPasswords from '../store/app-passwords.ts'
import type { Db } from '../store/database.ts'
import * as otpDevices from '../store/otp-devices.ts'
import * as recoveryCodes from '../store/recovery-codes.ts'
import * as sessions from '../store/sessions.ts'
import * as users from '../store/users.ts'
import { type Advanced, advanceLogin, type LoginUnderWay, standingOf } from './advance-login.ts'
import { codeBudget } from './budgets.ts'
import { type Caller, record } from './caller.ts'
import { claimCode, matchCode } from './match-code.ts'
import {
  type Budget,
  chargeAttempt,
  dropAttempt,
  forgetAttempts,
  holdBudgets,
  refundAttempt,
  settleAttempt,
  spendAttempt,
  type WeighedAttempt,
  weighAttempt,
} from './spend-attempt.ts'

export type ProofOutcome =
  | Advanced
  | { readonly kind: 'wrong-code' }
  /** A code was given, but no device or pending enrolment is there to check it against. */
  | { readonly kind: 'enrolment-required' }
  /** Whether the password or the code has to wait, for answers that must not tell them apart. */
  | { readonly kind: 'throttled'; readonly wait: Seconds; readonly budget: 'password' | 'code' }
  | { readonly kind: 'busy' }

export type ProofServices = Pick<Services, 'db' | 'newId' | 'newToken' | 'hasher' | 'sealer' | 'policy'>

interface Proof {
  readonly login: LoginUnderWay
  /** A code or a recovery code, as it was typed. */
  readonly text: string
  readonly caller: Caller
  readonly now: UnixSeconds
  /** The caller's place in the hash queue, if it has one already. */
  readonly turn?: HashTurn
  /** The password that was right before this, to be settled in the transaction that decides. */
  readonly password?: {
    settle(tx: Db): Promise<void>
    /** Takes hold of its budgets, where they are settled later than their place in the order of locks. */
    hold(tx: Db): Promise<void>
    /** Whatever is decided, or only once the code is right, so that no count tells (SEC-AUTH-7). */
    readonly when: 'always' | 'proven'
  }
}

/**
 * The second factor of a login, by a code of any device, a recovery code, or the first code of an enrolment.
 *
 * The attempt is charged before the secret is looked at, on the user, whichever kind of code it is.
 */
export async function proveSecondFactor(services: ProofServices, proof: Proof): Promise<ProofOutcome> {
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
  const { login, now } = proof
  const budget = codeBudget(services, login.userId)
  const proving = services.db.transaction().execute(async (tx): Promise<ProofOutcome> => {
    const weighed = await weighAttempt(tx, [budget], now)
    await settleBefore(tx, proof)
    if (weighed.kind === 'throttled') return { ...weighed, budget: 'code' }
    const user = await users.findById(tx, login.userId)
    if (user === undefined || user.disabled || user.epoch !== login.epoch)
      return droppedNotAwaited(tx, weighed)
    const devices = await otpDevices.listConfirmed(tx, user.id)
    const attempt = { proof, user, devices, spent: weighed, isCharged: false, budget }
    const step = nextStep(login.amr, standingOf(user, devices), services.policy.enrolment)
    if (step === 'totp') return proveByDevice(tx, services, attempt)
    const mayEnrol = step === 'enrol-totp' || (step === 'done' && !user.hasSecondFactor)
    const pending = mayEnrol ? await otpDevices.findPending(tx, user.id, now) : undefined
    if (pending !== undefined) return proveByEnrolment(tx, services, { ...attempt, pending })
    if (!mayEnrol) return droppedNotAwaited(tx, weighed)
    await dropAttempt(tx, weighed)
    await record(services, tx, refusalContext(proof), { event: 'code-refused', reason: 'no-enrolment' })
    return { kind: 'enrolment-required' }
  })
  return proving.catch((error: unknown) => {
    if (error instanceof EnrolmentUndone) return { kind: 'not-awaited' }
    throw error
  })
}

interface Attempt {
  readonly proof: Proof
  readonly user: User
  readonly devices: readonly otpDevices.OtpDevice[]
  readonly spent: WeighedAttempt
  /** Whether it was charged already, in a transaction before this one. */
  readonly isCharged: boolean
  readonly budget: Budget
}

async function proveByDevice(tx: Db, services: ProofServices, attempt: Attempt): Promise<ProofOutcome> {
  const { proof, user, devices, spent } = attempt
  const { now, caller, login } = proof
  const code = canonicalCode(proof.text)
  if (code === undefined) return wrongCode(tx, services, attempt, 'malformed')
  const usable = devices.filter(({ disabled }) => !disabled)
  const match = matchCode(services, usable, code, now)
  if (match.kind === 'none')
    return wrongCode(tx, services, attempt, usable.length === 0 ? 'no-device' : 'wrong-code')
  // An exact repeat is a double click more often than an attack: refused like any other, but not charged.
  if (match.kind === 'repeat' || !(await claimCode(tx, match, now))) {
    await dropAttempt(tx, attempt.spent)
    await record(services, tx, refusalContext(proof), { event: 'code-refused', reason: 'repeated' })
    return { kind: 'wrong-code' }
  }
  await settleProven(tx, proof, () => forgetAttempts(tx, spent))
  return advanceLogin(tx, services, { ...login, amr: [...login.amr, 'otp'] }, { user, devices, caller, now })
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
  proof: Proof,
  { index, secret }: RecoveryCode,
): Promise<ProofOutcome> {
  const { login, caller, now } = proof
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
    const amr = [...login.amr, 'recovery' as const]
    const remaining = await recoveryCodes.countLeft(tx, user.id, now)
    await record(
      services,
      tx,
      { now, by: caller, userId: user.id },
      { event: 'recovery-code-used', remaining },
    )
    return advanceLogin(tx, services, { ...login, amr }, { user, devices, caller, now })
  })
}

const spend = (tx: Db, user: User, index: number, hash: PasswordHash): Promise<boolean> =>
  recoveryCodes.spend(tx, user.id, index, hash)

/** A wrong code: written down, and at the hundredth in a row the devices are disabled (SEC-OTP-6). */
async function wrongCode(
  tx: Db,
  services: ProofServices,
  { proof, user, devices, spent, isCharged, budget }: Attempt,
  reason: CodeRefusal,
): Promise<ProofOutcome> {
  if (!isCharged) await chargeAttempt(tx, spent)
  const context = refusalContext(proof)
  await record(services, tx, context, { event: 'code-refused', reason })
  for (const begun of spent.begun) await record(services, tx, context, { event: 'throttled', ...begun })
  const failures = spent.counts.get(budget.key) ?? 0
  if (failures >= services.policy.throttle.disableAfter && devices.some(({ disabled }) => !disabled)) {
    await otpDevices.disableAll(tx, user.id, proof.now)
    await record(services, tx, context, { event: 'devices-disabled', failures })
  }
  return { kind: 'wrong-code' }
}

/** The budgets of passwords are held after that of codes, here as everywhere: else two would wait for each other. */
async function settleBefore(tx: Db, { password }: Proof): Promise<void> {
  await (password?.when === 'always' ? password.settle(tx) : password?.hold(tx))
}

/** The code was right: its count is forgotten, and that of the password if it waited for this. */
async function settleProven(tx: Db, { password }: Proof, settleCode: () => Promise<void>): Promise<void> {
  await settleCode()
  if (password?.when === 'proven') await password.settle(tx)
}

async function droppedNotAwaited(tx: Db, weighed: WeighedAttempt): Promise<ProofOutcome> {
  await dropAttempt(tx, weighed)
  return { kind: 'not-awaited' }
}

const refusalContext = ({ now, caller, login }: Proof) => ({
  now,
  by: caller,
  userId: login.userId,
  proven: false,
})
