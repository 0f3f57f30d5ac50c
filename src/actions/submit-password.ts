import { secondFactorDemanded } from '../domain/login.ts'
import { isTooShortAlone } from '../domain/password/policy.ts'
import type { Seconds } from '../domain/time.ts'
import type { User } from '../domain/user.ts'
import type { Policy, Services } from '../services.ts'
import * as otpDevices from '../store/otp-devices.ts'
import * as passwordHashes from '../store/password-hashes.ts'
import { type Advanced, advanceLogin } from './advance-login.ts'
import type { Caller } from './caller.ts'
import { record } from './caller.ts'
import { checkPassword, settlePassword } from './check-password.ts'

export type SubmitPasswordOutcome =
  | Advanced
  | { readonly kind: 'refused' }
  | { readonly kind: 'throttled'; readonly wait: Seconds }
  | { readonly kind: 'busy' }

/** The first step of a login: a username and a password. */
export async function submitPassword(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'newToken' | 'hasher' | 'sealer' | 'policy'>,
  input: { readonly username: string; readonly password: string },
  caller: Caller,
): Promise<SubmitPasswordOutcome> {
  const now = services.now()
  const { policy } = services
  using turn = services.hasher.enter()
  if (turn === undefined) return { kind: 'busy' }
  const check = await checkPassword(services, input, { caller, now, turn })
  if (check.kind !== 'right') return check
  return services.db.transaction().execute(async (tx) => {
    await settlePassword(tx, check)
    const devices = await otpDevices.listConfirmed(tx, check.user.id)
    // Chosen when a code was demanded beside it, and too short now that it would open the door alone (SEC-PW-1).
    const isTooShort = opensAlone(check.user, policy) && isTooShortAlone(input.password, policy.password)
    const user = { ...check.user, mustChangePassword: check.user.mustChangePassword || isTooShort }
    const login = { userId: user.id, amr: ['pwd'], epoch: user.epoch } as const
    const advanced = await advanceLogin(tx, services, login, { user, devices, caller, now })
    if (isTooShort) await passwordHashes.demandChange(tx, user.id)
    if (advanced.kind === 'continue') {
      await record(services, tx, { now, by: caller, userId: user.id }, { event: 'password-accepted' })
    }
    return advanced
  })
}

const opensAlone = (user: User, policy: Policy): boolean =>
  !user.hasSecondFactor && !secondFactorDemanded(user, policy.enrolment)
