import { secondFactorDemanded } from '../domain/login.ts'
import type { SessionWithUser } from '../domain/session.ts'
import { isFresh } from '../domain/session.ts'
import type { Services } from '../services.ts'
import * as logins from '../store/logins.ts'
import * as otpDevices from '../store/otp-devices.ts'
import * as recoveryCodes from '../store/recovery-codes.ts'
import * as users from '../store/users.ts'
import { type Caller, record } from './caller.ts'
import { holdFactors } from './hold-factors.ts'
import { type Renewed, renewSession } from './renew-session.ts'
import { Superseded, supersededOnly } from './superseded.ts'

export type RemoveDeviceOutcome =
  | (Renewed & { readonly kind: 'removed' })
  | { readonly kind: 'not-found' }
  | { readonly kind: 'stale' }
  /** It is the last one and the policy demands one: add its replacement first (SEC-AUTH-14). */
  | { readonly kind: 'last-one' }
  | { readonly kind: 'superseded' }

/** Removes one of the user's own devices; the user's other sessions end (SEC-SES-9). */
export async function removeDevice(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'newToken' | 'policy'>,
  held: SessionWithUser,
  { id, caller }: { readonly id: string; readonly caller: Caller },
): Promise<RemoveDeviceOutcome> {
  const now = services.now()
  const { user, session } = held
  const { policy } = services
  if (!isFresh(session, user, policy.session, now)) return { kind: 'stale' }
  return services.db
    .transaction()
    .execute(async (tx): Promise<RemoveDeviceOutcome> => {
      if ((await holdFactors(tx, user.id)) === undefined) return { kind: 'superseded' }
      const devices = await otpDevices.listConfirmed(tx, user.id)
      const device = devices.find((candidate) => candidate.id === id)
      if (device === undefined) return { kind: 'not-found' }
      const isLast = devices.every((other) => other.id === id || other.disabled)
      if (isLast && secondFactorDemanded(user, policy.enrolment)) return { kind: 'last-one' }
      await otpDevices.remove(tx, user.id, id)
      if (isLast) {
        await otpDevices.removeAll(tx, user.id)
        await recoveryCodes.removeAll(tx, user.id)
      }
      // Of two removals at once, which could take the last two, the epoch lets one through and undoes the other.
      if (!(await users.claimEpoch(tx, user.id, user.epoch))) throw new Superseded()
      if (isLast) await users.setSecondFactor(tx, user.id, false)
      await logins.removeAll(tx, user.id)
      const event = { event: 'device-removed', deviceId: id, name: device.name } as const
      await record(services, tx, { now, by: caller, userId: user.id }, event)
      return {
        kind: 'removed',
        ...(await renewSession(tx, services, held, { amr: session.amr, caller, now })),
      }
    })
    .catch(supersededOnly)
}
