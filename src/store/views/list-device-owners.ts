import type { Db } from '../database.ts'

/** A device by name, and whose it is. */
export interface DeviceOwner {
  readonly id: string
  readonly name: string
  readonly username: string
}

/** Whose the devices are; a few hundred at most in one call. */
export async function listDeviceOwners(db: Db, ids: readonly string[]): Promise<readonly DeviceOwner[]> {
  if (ids.length === 0) return []
  return db
    .selectFrom('otp_device')
    .innerJoin('user', 'user.id', 'otp_device.user_id')
    .select(['otp_device.id', 'otp_device.name', 'user.username'])
    .where('otp_device.id', 'in', ids)
    .orderBy('user.canonical_username')
    .orderBy('otp_device.id')
    .execute()
}
