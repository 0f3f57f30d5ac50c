import type { AccessPolicy } from './access.ts'
import { CLOCK_SKEW, type Seconds, type UnixSeconds } from './time.ts'
import type { UserId } from './user.ts'

declare const credentialHash: unique symbol

/** What the store keeps of a password and code that came in one field: their HMAC-SHA-256 in base64url. */
export type CredentialHash = string & { readonly [credentialHash]: true }

/**
 * For how long one password and code, sent again with every request of a program, opens one policy from one address.
 *
 * The code was spent when it began; what goes on is this, which can be listed and ended.
 */
export interface CodeWindow {
  readonly id: string
  readonly userId: UserId
  /** The name of the access policy that it opens; no other is. */
  readonly policy: string
  /** The origin of the host where it began; to be shown. */
  readonly host: string
  /** From where alone it opens anything. */
  readonly address: string
  /** The user's epoch when it began; a later change ends it. */
  readonly epoch: number
  readonly createdAt: UnixSeconds
  readonly expiresAt: UnixSeconds
  /** When somebody ended it; `undefined` for one that nobody did. */
  readonly endedAt: UnixSeconds | undefined
  readonly lastUsedAt: UnixSeconds
}

/** How long a window lasts where the policy does not say: a working day, so that one code a day is typed. */
const CODE_WINDOW_DEFAULT: Seconds = 8 * 3600

/** Windows that a user may have open at once; one more ends the oldest. */
export const CODE_WINDOWS_MAXIMUM = 20

/** How long one that is over is remembered, so that a program that still sends its credential costs and charges nothing. */
export const CODE_WINDOW_REMEMBERED: Seconds = 30 * 24 * 3600

/** One way to read a field that holds a password and a code. */
export interface Reading {
  readonly password: string
  readonly code: string
}

/** Digits that codes have, longest first. */
const codeLengths = [8, 6] as const

/**
 * The ways to read a text as a password followed by a code: the last 8 or the last 6 characters, where these are ASCII digits.
 *
 * Two where 8 digits end the text, for a password may end in digits; none where no 6 do, or where nothing is before them.
 */
export function readingsOf(text: string): readonly Reading[] {
  return codeLengths.flatMap((length) => {
    const cut = text.length - length
    const code = text.slice(Math.max(cut, 0))
    return cut > 0 && /^[0-9]+$/.test(code) ? [{ password: text.slice(0, cut), code }] : []
  })
}

/** Whether an access policy is there and takes a password and code in one field. */
export function takesPasswordCode(policy: AccessPolicy | undefined): boolean {
  return policy?.access.includes('password-code') === true
}

/** How long a window of a policy lasts: never longer than the policy takes a proof for. */
export function codeWindowLength({
  codeWindow = CODE_WINDOW_DEFAULT,
  within,
}: Pick<AccessPolicy, 'codeWindow' | 'within'>): Seconds {
  return Math.min(codeWindow, within ?? codeWindow)
}

/** Why a window that exists does not open what was asked for. */
export type CodeWindowRefusal = 'disabled' | 'ended' | 'expired' | 'other-policy' | 'other-address'

/** Whether a window opens a policy to whoever shows its credential: why not, or `undefined` when it does. */
export function codeWindowRefusal(
  window: CodeWindow,
  asked: {
    readonly isDisabled: boolean
    /** The user's, now. */
    readonly epoch: number
    readonly policy: AccessPolicy
    readonly address: string
  },
  now: UnixSeconds,
): CodeWindowRefusal | undefined {
  if (asked.isDisabled) return 'disabled'
  if (window.endedAt !== undefined || window.epoch !== asked.epoch) return 'ended'
  if (!isOpen(window, now)) return 'expired'
  if (window.policy !== asked.policy.name) return 'other-policy'
  // A policy that was made stricter since counts from now on.
  if (now - window.createdAt >= codeWindowLength(asked.policy)) return 'expired'
  return window.address === asked.address ? undefined : 'other-address'
}

/** Whether its time is not over; a clock that went back opens none that seems to begin later (FT-CLOCK-1). */
function isOpen({ createdAt, expiresAt }: CodeWindow, now: UnixSeconds): boolean {
  return now < expiresAt && createdAt - now <= CLOCK_SKEW
}
