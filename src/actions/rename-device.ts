import type { SessionWithUser } from '../domain/session.ts'
import type { Services } from '../services.ts'
import * as otpDevices from '../store/otp-devices.ts'
import { type Caller, record } from './caller.ts'

export type RenameDeviceOutcome = { readonly kind: 'renamed' } | { readonly kind: 'not-found' }

/** Gives one of the user's own devices another name. */
export async function renameDevice(
  services: Pick<Services, 'db' | 'now' | 'newId'>,
  { user }: SessionWithUser,
  { id, name, caller }: { readonly id: string; readonly name: string; readonly caller: Caller },
): Promise<RenameDeviceOutcome> {
  const now = services.now()
  return services.db.transaction().execute(async (tx): Promise<RenameDeviceOutcome> => {
    if (!(await otpDevices.rename(tx, user.id, id, name))) return { kind: 'not-found' }
    await record(
      services,
      tx,
      { now, by: caller, userId: user.id },
      { event: 'device-renamed', deviceId: id, name },
    )
    return { kind: 'renamed' }
  })
}
