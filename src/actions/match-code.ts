import { findCounter, findCounterPair } from '../domain/otp/hotp.ts'
import { findTimeStep } from '../domain/otp/totp.ts'
import type { UnixSeconds } from '../domain/time.ts'
import type { Services } from '../services.ts'
import type { Db } from '../store/database.ts'
import * as otpDevices from '../store/otp-devices.ts'

/** Codes ahead of the expected one that are tried, and how far two in a row may be (SEC-OTP-13). */
const LOOK_AHEAD = 5
const RESYNC_WITHIN = 50

export type CodeMatch =
  | {
      readonly kind: 'totp'
      readonly device: otpDevices.OtpDevice
      readonly step: number
      readonly drift: number
    }
  | { readonly kind: 'hotp'; readonly device: otpDevices.OtpDevice; readonly used: number }
  | { readonly kind: 'repeat' }
  | { readonly kind: 'none' }

/** Compares a code in canonical form with every device; all are looked at, whichever matches (SEC-OTP-11). */
export function matchCode(
  { sealer, policy }: Pick<Services, 'sealer' | 'policy'>,
  devices: readonly otpDevices.OtpDevice[],
  code: string,
  now: UnixSeconds,
): CodeMatch {
  let best: CodeMatch = { kind: 'none' }
  for (const device of devices) {
    const match = matchDevice({ sealer, policy }, device, code, now)
    if (match.kind === 'totp' || match.kind === 'hotp' || best.kind === 'none')
      best = match.kind === 'none' ? best : match
  }
  return best
}

function matchDevice(
  { sealer, policy }: Pick<Services, 'sealer' | 'policy'>,
  device: otpDevices.OtpDevice,
  code: string,
  now: UnixSeconds,
): CodeMatch {
  const key = sealer.open(device.sealedKey, {
    purpose: 'otp-key',
    userId: device.userId,
    deviceId: device.id,
  })
  if (device.kind === 'hotp') {
    const used = matchCounter(device, key, code)
    return used === undefined ? { kind: 'none' } : { kind: 'hotp', device, used }
  }
  const timing = { now, window: policy.totpWindow, drift: device.drift, lastUsed: device.lastUsedStep }
  const match = findTimeStep(code, key, device, timing)
  return match.kind === 'match' ? { kind: 'totp', device, step: match.step, drift: match.drift } : match
}

/** One code within the look-ahead, or two typed one after the other for a token that ran far ahead. */
function matchCounter(device: otpDevices.OtpDevice, key: Uint8Array, code: string): number | undefined {
  if (code.length === device.digits) {
    return findCounter(code, key, device, { counter: device.counter, lookAhead: LOOK_AHEAD })
  }
  if (code.length !== 2 * device.digits) return undefined
  const pair = [code.slice(0, device.digits), code.slice(device.digits)] as const
  return findCounterPair(pair, key, device, { counter: device.counter, within: RESYNC_WITHIN })
}

/** Spends what matched, once; `false` when another request was first. */
export async function claimCode(
  tx: Db,
  match: Extract<CodeMatch, { kind: 'totp' | 'hotp' }>,
  now: UnixSeconds,
): Promise<boolean> {
  if (match.kind === 'totp') return otpDevices.claimTimeStep(tx, match.device.id, { ...match, now })
  return otpDevices.claimCounter(tx, match.device.id, { seen: match.device.counter, used: match.used, now })
}
