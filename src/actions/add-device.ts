import { DEVICE_NAME_MAXIMUM, label } from '../domain/label.ts'
import type { OtpAlgorithm } from '../domain/otp/hotp.ts'
import type { Services } from '../services.ts'
import * as otpDevices from '../store/otp-devices.ts'
import * as users from '../store/users.ts'
import { type Operator, record } from './caller.ts'
import { endEverything } from './end-everything.ts'
import { holdFactors } from './hold-factors.ts'

/** Least strength of a key, in bytes: 128 bits (RFC 4226 §4, SEC-OTP-1). */
export const KEY_BYTES_MINIMUM = 16

export interface HardwareToken {
  readonly kind: 'totp' | 'hotp'
  readonly name: string
  readonly key: Uint8Array
  readonly algorithm: OtpAlgorithm
  readonly digits: 6 | 8
  /** Seconds; of no use to HOTP. */
  readonly period: number
  /** Next counter to expect; of no use to TOTP. */
  readonly counter: number
}

export type AddDeviceOutcome =
  | { readonly kind: 'added'; readonly id: string }
  | { readonly kind: 'no-such-user' }
  | { readonly kind: 'unsuitable-name' }
  | { readonly kind: 'weak-key' }
  | { readonly kind: 'too-many'; readonly maximum: number }

/**
 * Binds a hardware token whose key the operator was given; it needs no first code, for nobody scans it.
 *
 * What was open before ends, as at every change of a factor (SEC-SES-9).
 */
export async function addDevice(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'sealer' | 'policy'>,
  username: string,
  token: HardwareToken,
  by: Operator,
): Promise<AddDeviceOutcome> {
  const now = services.now()
  if (token.key.length < KEY_BYTES_MINIMUM) return { kind: 'weak-key' }
  const name = label(token.name, DEVICE_NAME_MAXIMUM)
  if (name === undefined) return { kind: 'unsuitable-name' }
  const user = await users.findByUsername(services.db, username)
  if (user === undefined) return { kind: 'no-such-user' }
  return services.db.transaction().execute(async (tx): Promise<AddDeviceOutcome> => {
    if ((await holdFactors(tx, user.id)) === undefined) return { kind: 'no-such-user' }
    const devices = await otpDevices.listConfirmed(tx, user.id)
    const maximum = services.policy.maximumDevices
    if (devices.filter(({ disabled }) => !disabled).length >= maximum) return { kind: 'too-many', maximum }
    const id = services.newId()
    const sealedKey = services.sealer.seal(token.key, { purpose: 'otp-key', userId: user.id, deviceId: id })
    const { key: _, ...rest } = token
    const fresh = { t0: 0, drift: 0, lastUsedStep: -1, createdAt: now }
    await otpDevices.insertConfirmed(tx, { ...rest, ...fresh, name, id, userId: user.id, sealedKey }, now)
    if (!(await users.advanceEpoch(tx, user.id))) return { kind: 'no-such-user' }
    await users.setSecondFactor(tx, user.id, true)
    await endEverything(tx, user.id, now)
    const event = { event: 'device-added', deviceId: id, name, type: token.kind } as const
    await record(services, tx, { now, by, userId: user.id }, event)
    return { kind: 'added', id }
  })
}
