import { isAlive, type SessionRules } from '../../domain/session.ts'
import type { UnixSeconds } from '../../domain/time.ts'
import type { UserId } from '../../domain/user.ts'
import type { Db } from '../database.ts'
import * as otpDevices from '../otp-devices.ts'
import * as recoveryCodes from '../recovery-codes.ts'
import * as sessions from '../sessions.ts'

/** A device as its owner may see it: never the secret (SEC-OTP-9). */
export type OwnDevice = Omit<otpDevices.OtpDevice, 'sealedKey'>

/** The user's devices that were confirmed, oldest first. */
export async function ownDevices(db: Db, userId: UserId): Promise<OwnDevice[]> {
  const devices = await otpDevices.listConfirmed(db, userId)
  return devices.map(({ sealedKey: _, ...device }) => device)
}

/** The user's sessions that still hold, the latest first. */
export async function ownSessions(db: Db, userId: UserId, rules: SessionRules, now: UnixSeconds) {
  const all = await sessions.listOf(db, userId)
  return all.filter((session) => isAlive(session, rules, now))
}

/** How many recovery codes the user has left. */
export const recoveryCodesLeft = recoveryCodes.countLeft
