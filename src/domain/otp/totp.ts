import type { UnixSeconds } from '../time.ts'
import { equalCodes } from './code.ts'
import { hotpCode, type OtpParameters } from './hotp.ts'

/** What the server and the authenticator must agree on beside the key (RFC 6238 §4). */
export interface TotpParameters extends OtpParameters {
  /** Length of one time step in seconds, 1 or more. */
  readonly period: number
  /** The instant step 0 begins, in Unix seconds; 0 for every authenticator app. */
  readonly t0: number
}

/** Count of whole periods since `t0`: T of RFC 6238 §4.2. */
export type TimeStep = number

/** What a code turned out to be. */
export type TotpMatch =
  /** Of a step not used before. The caller claims `step` in the store and keeps `drift` beside it. */
  | { readonly kind: 'match'; readonly step: TimeStep; readonly drift: number }
  /** The code accepted last, sent again (a double click, a browser's retry, or a thief): refused, not charged. */
  | { readonly kind: 'repeat' }
  | { readonly kind: 'none' }

/** When and how far around it a code may be from, and what was accepted before. */
export interface TotpTiming {
  readonly now: UnixSeconds
  /** Steps allowed on either side: 0, 1 or 2 (SEC-OTP-3). */
  readonly window: number
  /** How many steps ahead of the server the device was at its last match; held to `maximumDrift(window)`. */
  readonly drift: number
  /** The highest step ever accepted from this device; -1 when there is none. */
  readonly lastUsed: TimeStep
}

/** No code is accepted further than this many steps from server time (SEC-OTP-3). */
const furthestStep = 2

/** The time step at `now`; negative before `t0`. */
export function timeStepAt(
  now: UnixSeconds,
  { period, t0 }: Pick<TotpParameters, 'period' | 't0'>,
): TimeStep {
  return Math.floor((now - t0) / period)
}

/**
 * The code for one time step: HOTP with the step as counter (RFC 6238 §4.2).
 *
 * @throws RangeError when `step` is not from 0 to 2^53-1.
 */
export function totpCode(key: Uint8Array, step: TimeStep, parameters: OtpParameters): string {
  return hotpCode(key, step, parameters)
}

/**
 * How many steps a learnt drift may move a window of this many steps: with the window added, never more than
 * 2 steps from server time, and never more than the window itself (SEC-OTP-3, SEC-OTP-12).
 */
export function maximumDrift(window: number): number {
  return Math.max(0, Math.min(window, furthestStep - window))
}

/**
 * Finds the time step that `code` belongs to, looking `window` steps either side of the server's step moved by
 * `drift` (RFC 6238 §5.2, §6).
 *
 * Only steps above `lastUsed` match, so no step is accepted twice, whatever the clock and the drift did in
 * between (SEC-OTP-2, SEC-OTP-12). Should the code be that of two steps the later is taken, which burns both.
 * A repeat of `lastUsed` is only told while that step is still within the window.
 *
 * @returns for a match, the step and its offset from the server's, held to `maximumDrift(window)`.
 * @throws RangeError when `window` is not 0, 1 or 2.
 */
export function findTimeStep(
  code: string,
  key: Uint8Array,
  parameters: TotpParameters,
  { now, window, drift, lastUsed }: TotpTiming,
): TotpMatch {
  if (![0, 1, 2].includes(window)) throw new RangeError('window is not 0, 1 or 2 steps')
  const serverStep = timeStepAt(now, parameters)
  const centre = serverStep + heldTo(maximumDrift(window), drift)
  let found: TimeStep | undefined
  let repeated = false
  // No early exit: how long this takes must not tell which step matched (SEC-OTP-11).
  for (let step = centre - window; step <= centre + window; step++) {
    // There are no steps before t0, but they cost the same.
    const matches = equalCodes(totpCode(key, Math.max(step, 0), parameters), code) && step >= 0
    if (matches && step > lastUsed) found = step
    if (matches && step === lastUsed) repeated = true
  }
  if (found !== undefined) {
    return { kind: 'match', step: found, drift: heldTo(maximumDrift(window), found - serverStep) }
  }
  return repeated ? { kind: 'repeat' } : { kind: 'none' }
}

/** `value` brought within ±`limit`; `0 - limit`, as `-limit` would make the -0 that some stores keep. */
function heldTo(limit: number, value: number): number {
  return Math.min(Math.max(value, 0 - limit), limit)
}
