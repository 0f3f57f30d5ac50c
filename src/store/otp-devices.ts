import type { OtpAlgorithm } from '../domain/otp/hotp.ts'
import type { TimeStep } from '../domain/otp/totp.ts'
import type { UnixSeconds } from '../domain/time.ts'
import type { UserId } from '../domain/user.ts'
import type { Database, Db } from './database.ts'
import { prepared } from './prepared.ts'

/** An authenticator: a secret shared with somebody's phone or hardware token. */
export interface OtpDevice {
  readonly id: string
  readonly userId: UserId
  readonly kind: 'totp' | 'hotp'
  readonly name: string
  readonly sealedKey: string
  readonly algorithm: OtpAlgorithm
  readonly digits: 6 | 8
  /** Seconds of a time step and the instant of step 0 (RFC 6238 §4.1); TOTP only. */
  readonly period: number
  readonly t0: UnixSeconds
  /** Steps that the device's clock was ahead when it was used last. */
  readonly drift: number
  /** Highest step ever accepted; -1 before the first. */
  readonly lastUsedStep: TimeStep
  /** Next counter to expect; HOTP only. */
  readonly counter: number
  readonly createdAt: UnixSeconds
  readonly confirmed: boolean
  readonly disabled: boolean
  readonly lastUsedAt: UnixSeconds | undefined
}

type Row = Database['otp_device']

/** A row as a device. */
export const fromRow = (row: Row): OtpDevice => ({
  id: row.id,
  userId: row.user_id,
  kind: row.kind,
  name: row.name,
  sealedKey: row.sealed_key,
  algorithm: row.algorithm,
  digits: row.digits,
  period: row.period,
  t0: row.t0,
  drift: row.drift,
  lastUsedStep: row.last_used_step,
  counter: row.counter,
  createdAt: row.created_at,
  confirmed: row.confirmed_at !== null,
  disabled: row.disabled_at !== null,
  lastUsedAt: row.last_used_at ?? undefined,
})

const confirmedOf = prepared((db, { userId }: { userId: UserId }) =>
  db
    .selectFrom('otp_device')
    .selectAll()
    .where('user_id', '=', userId)
    .where('confirmed_at', 'is not', null)
    .orderBy('id'),
)

/** The user's confirmed devices, disabled ones included, oldest first. */
export async function listConfirmed(db: Db, userId: UserId): Promise<OtpDevice[]> {
  const { rows } = await confirmedOf(db, { userId })
  return rows.map(fromRow)
}

/** The enrolment that the user has begun and not confirmed, while it lasts. */
export async function findPending(
  db: Db,
  userId: UserId,
  now: UnixSeconds,
): Promise<PendingDevice | undefined> {
  const row = await db
    .selectFrom('otp_device')
    .selectAll()
    .where('user_id', '=', userId)
    .where('confirmed_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  if (row === undefined || row.expires_at === null) return undefined
  return { ...fromRow(row), begunBy: row.begun_by ?? undefined, expiresAt: row.expires_at }
}

/** An enrolment that was begun and not confirmed. */
export interface PendingDevice extends OtpDevice {
  /** Token hash of the login, or id of the session, that began it. */
  readonly begunBy: string | undefined
  readonly expiresAt: UnixSeconds
}

export type NewOtpDevice = Omit<OtpDevice, 'confirmed' | 'disabled' | 'lastUsedAt'>

/** A device whose enrolment begins. */
export interface NewPendingDevice extends NewOtpDevice {
  readonly begunBy?: string
}

/**
 * Begins an enrolment that lasts until `expiresAt`; an earlier one of the user that nobody confirmed ends.
 *
 * `false` when another request of the user began one at the same moment.
 */
export async function putPending(db: Db, device: NewPendingDevice, expiresAt: UnixSeconds): Promise<boolean> {
  await removePending(db, device.userId)
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('otp_device')
    .values({
      ...toRow(device),
      confirmed_at: null,
      expires_at: expiresAt,
      begun_by: device.begunBy ?? null,
    })
    .onConflict((oc) => oc.doNothing())
    .executeTakeFirstOrThrow()
  return numInsertedOrUpdatedRows === 1n
}

/** Stores a device that needs no confirmation because the operator vouches for it. */
export async function insertConfirmed(db: Db, device: NewOtpDevice, now: UnixSeconds): Promise<void> {
  await db.insertInto('otp_device').values(confirmedRow(device, now)).execute()
}

/** Such a device as it is stored; `used` is when it was used last elsewhere. */
export const confirmedRow = (device: NewOtpDevice, now: UnixSeconds, used?: UnixSeconds) => ({
  ...toRow(device),
  ...{ confirmed_at: now, expires_at: null, begun_by: null, last_used_at: used ?? null },
})

const toRow = (device: NewOtpDevice) => ({
  id: device.id,
  user_id: device.userId,
  kind: device.kind,
  name: device.name,
  sealed_key: device.sealedKey,
  algorithm: device.algorithm,
  digits: device.digits,
  period: device.period,
  t0: device.t0,
  drift: device.drift,
  last_used_step: device.lastUsedStep,
  counter: device.counter,
  created_at: device.createdAt,
  ...{ disabled_at: null, last_used_at: null },
})

export async function removePending(db: Db, userId: UserId): Promise<void> {
  await db.deleteFrom('otp_device').where('user_id', '=', userId).where('confirmed_at', 'is', null).execute()
}

/**
 * Confirms an enrolment by the step of its first code, which is thereby used (SEC-OTP-8).
 *
 * `false` when it was confirmed, replaced or had ended meanwhile.
 */
export async function claimConfirmation(
  db: Db,
  id: string,
  { step, drift, now }: { step: TimeStep; drift: number; now: UnixSeconds },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('otp_device')
    .set({
      confirmed_at: now,
      expires_at: null,
      last_used_step: step,
      drift,
      last_used_at: now,
      begun_by: null,
    })
    .where('id', '=', id)
    .where('confirmed_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}

const updateStep = prepared(
  (db, { id, step, drift, now }: { id: string; step: TimeStep; drift: number; now: UnixSeconds }) =>
    db
      .updateTable('otp_device')
      .set({ last_used_step: step, drift, last_used_at: now })
      .where('id', '=', id)
      .where('last_used_step', '<', step)
      .where('confirmed_at', 'is not', null)
      .where('disabled_at', 'is', null),
)

/**
 * Marks a time step as used, once and for ever (SEC-OTP-2).
 *
 * The check is part of the UPDATE, so of two requests with the same code one gets `false`.
 */
export async function claimTimeStep(
  db: Db,
  id: string,
  { step, drift, now }: { step: TimeStep; drift: number; now: UnixSeconds },
): Promise<boolean> {
  const { affected } = await updateStep(db, { id, step, drift, now })
  return affected === 1
}

/** Moves the counter past the one that was used, once (SEC-OTP-13); `false` when it had moved meanwhile. */
export async function claimCounter(
  db: Db,
  id: string,
  { seen, used, now }: { seen: number; used: number; now: UnixSeconds },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('otp_device')
    .set({ counter: used + 1, last_used_at: now })
    .where('id', '=', id)
    .where('counter', '=', seen)
    .where('confirmed_at', 'is not', null)
    .where('disabled_at', 'is', null)
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}

export async function rename(db: Db, userId: UserId, id: string, name: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('otp_device')
    .set({ name })
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .where('confirmed_at', 'is not', null)
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}

export async function remove(db: Db, userId: UserId, id: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('otp_device')
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .where('confirmed_at', 'is not', null)
    .executeTakeFirstOrThrow()
  return numDeletedRows === 1n
}

/** Removes every device of the user, pending ones too. */
export async function removeAll(db: Db, userId: UserId): Promise<void> {
  await db.deleteFrom('otp_device').where('user_id', '=', userId).execute()
}

/** Disables every device of the user: too many wrong codes in a row (SEC-OTP-6). */
export async function disableAll(db: Db, userId: UserId, now: UnixSeconds): Promise<void> {
  await db
    .updateTable('otp_device')
    .set({ disabled_at: now })
    .where('user_id', '=', userId)
    .where('confirmed_at', 'is not', null)
    .where('disabled_at', 'is', null)
    .execute()
}

/** Some sealed keys after `afterId`, in order, for rotation. */
export async function listSealed(
  db: Db,
  afterId: string,
  limit: number,
): Promise<{ id: string; userId: UserId; sealedKey: string }[]> {
  const rows = await db
    .selectFrom('otp_device')
    .select(['id', 'user_id', 'sealed_key'])
    .where('id', '>', afterId)
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map((row) => ({ id: row.id, userId: row.user_id, sealedKey: row.sealed_key }))
}

/** Replaces a sealed key by itself under another key, unless it changed meanwhile. */
export async function reseal(db: Db, id: string, from: string, to: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('otp_device')
    .set({ sealed_key: to })
    .where('id', '=', id)
    .where('sealed_key', '=', from)
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}

/** Whether anything at all is sealed, so that a missing key file is noticed. */
export async function exist(db: Db): Promise<boolean> {
  return (await db.selectFrom('otp_device').select('id').limit(1).executeTakeFirst()) !== undefined
}

/** Removes some enrolments that ended without a first code. */
export async function purgePending(db: Db, now: UnixSeconds, limit: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('otp_device')
    .where('confirmed_at', 'is', null)
    .where('id', 'in', (eb) =>
      eb.selectFrom('otp_device').select('id').where('expires_at', '<=', now).limit(limit),
    )
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}
