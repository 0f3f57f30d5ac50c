import { isAlive, type SessionRules } from '../../domain/session.ts'
import type { UnixSeconds } from '../../domain/time.ts'
import type { UserId } from '../../domain/user.ts'
import * as appPasswords from '../app-passwords.ts'
import * as codeWindows from '../code-windows.ts'
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

/** The user's app passwords without their secrets, oldest first; those that have ended are among them. */
export const ownAppPasswords = appPasswords.listOf

/** What a password and code in one field opens to programs of the user, oldest first. */
export const ownCodeWindows = codeWindows.listOpen

/** How many recovery codes the user has left. */
export const recoveryCodesLeft = recoveryCodes.countLeft

/** When the user's recovery codes were made; `undefined` when none that holds is left. */
export async function recoveryCodesMadeAt(
  db: Db,
  userId: UserId,
  now: UnixSeconds,
): Promise<UnixSeconds | undefined> {
  const row = await db
    .selectFrom('recovery_code')
    .select('created_at')
    .where('user_id', '=', userId)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .limit(1)
    .executeTakeFirst()
  return row?.created_at
}

/** When the user's password was last changed; `undefined` when there is none. */
export async function passwordChangedAt(db: Db, userId: UserId): Promise<UnixSeconds | undefined> {
  const row = await db
    .selectFrom('password_hash')
    .select('changed_at')
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return row?.changed_at
}
