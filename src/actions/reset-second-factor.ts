import { formatRecoveryCode, type RecoveryCode, recoveryCodeFrom } from '../domain/otp/recovery-code.ts'
import type { PasswordHash } from '../domain/password/hash-parameters.ts'
import type { Seconds, UnixSeconds } from '../domain/time.ts'
import type { UserId } from '../domain/user.ts'
import type { HashTurn, Services } from '../services.ts'
import * as attempts from '../store/attempts.ts'
import type { Db } from '../store/database.ts'
import * as otpDevices from '../store/otp-devices.ts'
import * as recoveryCodes from '../store/recovery-codes.ts'
import * as users from '../store/users.ts'
import { codeKey } from './budgets.ts'
import { type Administrator, type Operator, record } from './caller.ts'
import { endEverything } from './end-everything.ts'
import { holdFactors } from './hold-factors.ts'

/** A code that is handed over ends after a day (SEC-PW-13). */
const CODE_LIFETIME: Seconds = 24 * 3600

/** The factors are gone, and one code leads to new ones. */
export interface FactorsReset {
  readonly kind: 'reset'
  /** To be told to the user, once, over a way that proves who they are. */
  readonly recoveryCode: string
  readonly lifetime: Seconds
}

export type ResetSecondFactorOutcome =
  | FactorsReset
  | { readonly kind: 'no-such-user' }
  | { readonly kind: 'busy' }

/**
 * Removes a user's devices and recovery codes after a loss, and makes one recovery code that lasts a day.
 *
 * With the password and that code the user gets to bind a new device. The password alone still opens nothing,
 * so a thief of the password gains nothing from the loss (SEC-AUTH-16).
 */
export async function resetSecondFactor(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'entropy' | 'hasher'>,
  username: string,
  by: Operator,
): Promise<ResetSecondFactorOutcome> {
  const now = services.now()
  const user = await users.findByUsername(services.db, username)
  if (user === undefined) return { kind: 'no-such-user' }
  using turn = services.hasher.enter()
  if (turn === undefined) return { kind: 'busy' }
  const code = await handedOverCode(services, turn)
  return services.db.transaction().execute(async (tx): Promise<ResetSecondFactorOutcome> => {
    if ((await holdFactors(tx, user.id)) === undefined) return { kind: 'no-such-user' }
    return resetFactors(tx, services, user.id, { code, by, now })
  })
}

/** A recovery code with its hash. */
export interface HandedOverCode {
  readonly code: RecoveryCode
  readonly hash: PasswordHash
}

/** Makes the one code of a reset; hashed outside of the transaction that stores it. */
export async function handedOverCode(
  { entropy }: Pick<Services, 'entropy'>,
  turn: HashTurn,
): Promise<HandedOverCode> {
  const code = recoveryCodeFrom(0, entropy(10))
  return { code, hash: await turn.hash(code.secret) }
}

/** Resets the factors of a user whose factors the transaction holds. */
export async function resetFactors(
  tx: Db,
  services: Pick<Services, 'newId'>,
  userId: UserId,
  { code, by, now }: { code: HandedOverCode; by: Administrator; now: UnixSeconds },
): Promise<FactorsReset | { readonly kind: 'no-such-user' }> {
  await attempts.clear(tx, [codeKey(userId)])
  await otpDevices.removeAll(tx, userId)
  await recoveryCodes.replaceAll(tx, userId, [code.hash], { now, expiresAt: now + CODE_LIFETIME })
  if (!(await users.advanceEpoch(tx, userId))) return { kind: 'no-such-user' }
  await users.setSecondFactor(tx, userId, true)
  await endEverything(tx, userId, now)
  await record(services, tx, { now, by, userId }, { event: 'second-factor-reset' })
  return { kind: 'reset', recoveryCode: formatRecoveryCode(code.code), lifetime: CODE_LIFETIME }
}
