import type { CodeRefusal } from '../domain/audit.ts'
import { canonicalCode } from '../domain/otp/code.ts'
import type { Seconds, UnixSeconds } from '../domain/time.ts'
import type { User } from '../domain/user.ts'
import type { Services } from '../services.ts'
import type { Db } from '../store/database.ts'
import * as otpDevices from '../store/otp-devices.ts'
import * as users from '../store/users.ts'
import type { LoginUnderWay } from './advance-login.ts'
import { codeBudget } from './budgets.ts'
import { type Caller, record } from './caller.ts'
import { claimCode, matchCode } from './match-code.ts'
import {
  type Budget,
  chargeAttempt,
  dropAttempt,
  forgetAttempts,
  type WeighedAttempt,
  weighAttempt,
} from './spend-attempt.ts'

/** A second factor that somebody shows after a password that was right. */
export interface Proof {
  readonly login: LoginUnderWay
  /** A code or a recovery code, as it was typed. */
  readonly text: string
  readonly caller: Caller
  readonly now: UnixSeconds
  /** The password that was right before this, to be settled in the transaction that decides. */
  readonly password?: {
    settle(tx: Db): Promise<void>
    /** Takes hold of its budgets, where they are settled later than their place in the order of locks. */
    hold(tx: Db): Promise<void>
    /** Whatever is decided, or only once the code is right, so that no count tells (SEC-AUTH-7). */
    readonly when: 'always' | 'proven'
  }
}

/** A proof that was weighed, with the user and the confirmed devices as they are then. */
export interface Attempt {
  readonly proof: Proof
  readonly user: User
  readonly devices: readonly otpDevices.OtpDevice[]
  readonly spent: WeighedAttempt
  /** Whether it was charged already, in a transaction before this one. */
  readonly isCharged: boolean
  readonly budget: Budget
}

export type ProofRefusal =
  /** The login is over, or what it stands on changed: begin again. */
  | { readonly kind: 'not-awaited' }
  /** Whether the password or the code has to wait, for answers that must not tell them apart. */
  | { readonly kind: 'throttled'; readonly wait: Seconds; readonly budget: 'password' | 'code' }

type Needed = Pick<Services, 'newId' | 'sealer' | 'policy'>

/**
 * Weighs a proof by a code of a device, before any secret is looked at; parallel ones come one after another.
 *
 * It is for the same transaction to charge it, unless the code is right.
 */
export async function weighProof(
  tx: Db,
  services: Needed,
  proof: Proof,
): Promise<{ readonly kind: 'weighed'; readonly attempt: Attempt } | ProofRefusal> {
  const { login, now } = proof
  const budget = codeBudget(services, login.userId)
  const spent = await weighAttempt(tx, [budget], now)
  await settleBefore(tx, proof)
  if (spent.kind === 'throttled') return { ...spent, budget: 'code' }
  const user = await users.findById(tx, login.userId)
  if (user === undefined || user.disabled || user.epoch !== login.epoch) return droppedNotAwaited(tx, spent)
  const devices = await otpDevices.listConfirmed(tx, user.id)
  return { kind: 'weighed', attempt: { proof, user, devices, spent, isCharged: false, budget } }
}

/**
 * Compares the code with every device and spends it, in the transaction that weighed it.
 *
 * @param conclude what follows from two factors; in the same transaction, so that nobody spends a code for nothing.
 */
export async function proveByDevice<Proven>(
  tx: Db,
  services: Needed,
  attempt: Attempt,
  conclude: () => Promise<Proven>,
): Promise<Proven | { readonly kind: 'wrong-code' }> {
  const { proof, devices, spent } = attempt
  const { now } = proof
  const code = canonicalCode(proof.text)
  if (code === undefined) return wrongCode(tx, services, attempt, 'malformed')
  const usable = devices.filter(({ disabled }) => !disabled)
  const match = matchCode(services, usable, code, now)
  if (match.kind === 'none')
    return wrongCode(tx, services, attempt, usable.length === 0 ? 'no-device' : 'wrong-code')
  // An exact repeat is a double click more often than an attack: refused like any other, but not charged.
  if (match.kind === 'repeat' || !(await claimCode(tx, match, now))) {
    await dropAttempt(tx, spent)
    await record(services, tx, refusalContext(proof), { event: 'code-refused', reason: 'repeated' })
    return { kind: 'wrong-code' }
  }
  await settleProven(tx, proof, () => forgetAttempts(tx, spent))
  return conclude()
}

/** A wrong code: written down, and at the hundredth in a row the devices are disabled (SEC-OTP-6). */
export async function wrongCode(
  tx: Db,
  services: Needed,
  { proof, user, devices, spent, isCharged, budget }: Attempt,
  reason: CodeRefusal,
): Promise<{ readonly kind: 'wrong-code' }> {
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
export async function settleBefore(tx: Db, { password }: Proof): Promise<void> {
  await (password?.when === 'always' ? password.settle(tx) : password?.hold(tx))
}

/** The code was right: its count is forgotten, and that of the password if it waited for this. */
export async function settleProven(
  tx: Db,
  { password }: Proof,
  settleCode: () => Promise<void>,
): Promise<void> {
  await settleCode()
  if (password?.when === 'proven') await password.settle(tx)
}

export async function droppedNotAwaited(
  tx: Db,
  weighed: WeighedAttempt,
): Promise<{ readonly kind: 'not-awaited' }> {
  await dropAttempt(tx, weighed)
  return { kind: 'not-awaited' }
}

export const refusalContext = ({ now, caller, login }: Proof) => ({
  now,
  by: caller,
  userId: login.userId,
  proven: false,
})
