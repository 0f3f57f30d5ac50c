import type { Seconds } from '../domain/time.ts'
import type { Services } from '../services.ts'
import * as otpDevices from '../store/otp-devices.ts'
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
  const check = await checkPassword(services, input, { caller, now })
  if (check.kind !== 'right') return check
  const { user } = check
  return services.db.transaction().execute(async (tx) => {
    await settlePassword(tx, check)
    const devices = await otpDevices.listConfirmed(tx, user.id)
    const login = { userId: user.id, amr: ['pwd'], epoch: user.epoch } as const
    const advanced = await advanceLogin(tx, services, login, { user, devices, caller, now })
    if (advanced.kind === 'continue') {
      await record(services, tx, { now, by: caller, userId: user.id }, { event: 'password-accepted' })
    }
    return advanced
  })
}
