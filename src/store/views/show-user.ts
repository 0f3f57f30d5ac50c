import type { AppPassword } from '../../domain/app-password.ts'
import type { CodeWindow } from '../../domain/code-window.ts'
import type { Session } from '../../domain/session.ts'
import type { UnixSeconds } from '../../domain/time.ts'
import type { UserId } from '../../domain/user.ts'
import * as appPasswords from '../app-passwords.ts'
import * as codeWindows from '../code-windows.ts'
import type { Db } from '../database.ts'
import * as invitations from '../invitations.ts'
import * as otpDevices from '../otp-devices.ts'
import * as recoveryCodes from '../recovery-codes.ts'
import * as resetRequests from '../reset-requests.ts'
import * as sessions from '../sessions.ts'
import * as users from '../users.ts'
import { groupsOf } from './groups-of.ts'

/** All there is to know of a user but secrets. */
export interface ShownUser {
  readonly id: UserId
  readonly username: string
  readonly displayName: string
  readonly isSuperuser: boolean
  readonly hasSecondFactor: boolean
  readonly createdAt: UnixSeconds
  readonly disabledAt: UnixSeconds | undefined
  readonly lastSignInAt: UnixSeconds | undefined
  readonly passwordChangedAt: UnixSeconds | undefined
  readonly mustChangePassword: boolean
  readonly groups: readonly string[]
  readonly devices: readonly Omit<otpDevices.OtpDevice, 'sealedKey'>[]
  /** Whether a new device waits for its first code. */
  readonly enrolmentPending: boolean
  /** The latest first; ended ones may be among them. */
  readonly sessions: readonly Session[]
  readonly recoveryCodesLeft: number
  /** Oldest first, without secrets; those that have ended are among them. */
  readonly appPasswords: readonly AppPassword[]
  /** What a password and code in one field opens to programs, oldest first. */
  readonly codeWindows: readonly CodeWindow[]
  /** Until when a link to choose a password may be used, if one was made. */
  readonly invitedUntil: UnixSeconds | undefined
  /** What an administrator asked for and another one may carry out. */
  readonly resetRequest: resetRequests.ResetRequest | undefined
}

/** Finds a user by any spelling of the name, or by the identifier. */
export async function findShownUser(
  db: Db,
  who: users.UserReference,
  now: UnixSeconds,
): Promise<ShownUser | undefined> {
  const user = await users.findByReference(db, who)
  if (user === undefined) return undefined
  const { id } = user
  const row = await db
    .selectFrom('user')
    .leftJoin('password_hash', 'password_hash.user_id', 'user.id')
    .select(['user.created_at', 'user.disabled_at', 'user.last_sign_in_at', 'password_hash.changed_at'])
    .where('user.id', '=', id)
    .executeTakeFirst()
  // Deleted between the two questions.
  if (row === undefined) return undefined
  const devices = await otpDevices.listConfirmed(db, id)
  return {
    id,
    username: user.username,
    displayName: user.displayName,
    isSuperuser: user.isSuperuser,
    hasSecondFactor: user.hasSecondFactor,
    createdAt: row.created_at,
    disabledAt: row.disabled_at ?? undefined,
    lastSignInAt: row.last_sign_in_at ?? undefined,
    passwordChangedAt: row.changed_at ?? undefined,
    mustChangePassword: user.mustChangePassword,
    groups: await groupsOf(db, id),
    devices: devices.map(({ sealedKey: _, ...device }) => device),
    enrolmentPending: (await otpDevices.findPending(db, id, now)) !== undefined,
    sessions: await sessions.listOf(db, id),
    recoveryCodesLeft: await recoveryCodes.countLeft(db, id, now),
    appPasswords: await appPasswords.listOf(db, id),
    codeWindows: await codeWindows.listOpen(db, id, now),
    invitedUntil: await invitations.findEnd(db, id, now),
    resetRequest: await resetRequests.find(db, id, now),
  }
}
