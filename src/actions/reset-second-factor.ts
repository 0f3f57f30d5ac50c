import { formatRecoveryCode, recoveryCodeFrom } from '../domain/otp/recovery-code.ts'
import type { Seconds } from '../domain/time.ts'
import type { Services } from '../services.ts'
import * as attempts from '../store/attempts.ts'
import * as otpDevices from '../store/otp-devices.ts'
import * as recoveryCodes from '../store/recovery-codes.ts'
import * as users from '../store/users.ts'
import { codeKey } from './budgets.ts'
import { type Operator, record } from './caller.ts'
import { endEverything } from './end-everything.ts'
import { holdFactors } from './hold-factors.ts'

/** A code that the operator hands over ends after a day (SEC-PW-13). */
const CODE_LIFETIME: Seconds = 24 * 3600

export type ResetSecondFactorOutcome =
  | {
      readonly kind: 'reset'
      /** To be told to the user, once, over a way that proves who they are. */
      readonly recoveryCode: string
      readonly lifetime: Seconds
    }
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
  const code = recoveryCodeFrom(0, services.entropy(10))
  const hash = await turn.hash(code.secret)
  return services.db.transaction().execute(async (tx): Promise<ResetSecondFactorOutcome> => {
    if ((await holdFactors(tx, user.id)) === undefined) return { kind: 'no-such-user' }
    await attempts.clear(tx, [codeKey(user.id)])
    await otpDevices.removeAll(tx, user.id)
    await recoveryCodes.replaceAll(tx, user.id, [hash], { now, expiresAt: now + CODE_LIFETIME })
    if (!(await users.advanceEpoch(tx, user.id))) return { kind: 'no-such-user' }
    await users.setSecondFactor(tx, user.id, true)
    await endEverything(tx, user.id)
    await record(services, tx, { now, by, userId: user.id }, { event: 'second-factor-reset' })
    return { kind: 'reset', recoveryCode: formatRecoveryCode(code), lifetime: CODE_LIFETIME }
  })
}
