import { createHash } from 'node:crypto'
import { type AccessPolicy, decideAccess } from './access.ts'
import { type AuthenticationMethod, isVerified } from './login.ts'
import { withoutSeparators } from './otp/code.ts'
import type { Seconds, UnixSeconds } from './time.ts'
import type { UserId } from './user.ts'

declare const appSecret: unique symbol
declare const appSecretHash: unique symbol

/** The secret of an app password in canonical form: 25 characters of the alphabet below, 125 random bits. */
export type AppSecret = string & { readonly [appSecret]: true }

/** What the store keeps of it: the SHA-256 in base64url. */
export type AppSecretHash = string & { readonly [appSecretHash]: true }

/** What a program signs in with where it cannot be asked for a code; opens named policies only, never the portal. */
export interface AppPassword {
  readonly id: string
  readonly userId: UserId
  readonly name: string
  /** Names of the access policies that it opens; no other does. */
  readonly policies: readonly string[]
  readonly createdAt: UnixSeconds
  /** `undefined` for one without an end. */
  readonly expiresAt: UnixSeconds | undefined
  readonly lastUsedAt: UnixSeconds | undefined
  readonly lastUsedAddress: string | undefined
}

/** App passwords that a user may have at once. */
export const APP_PASSWORDS_MAXIMUM = 20

/** The longest lifetime that can be chosen where one has to be, in days. */
export const APP_PASSWORD_DAYS_MAXIMUM = 400

/** Bytes of randomness that one app password is made of. */
export const APP_SECRET_BYTES = 16

const DAY: Seconds = 24 * 3600

/** A use is written down at most this often. */
export const USE_INTERVAL: Seconds = 60

/** By which scanners of sources and logs find one that was lost. */
const PREFIX = 'wwp_'

/** Crockford's 32: no I, L, O, that look like digits, and no U, that makes words. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/**
 * The secret for 16 bytes of randomness, which the caller draws; three of the 128 bits are left over.
 *
 * @throws RangeError when `entropy` is not of 16 bytes.
 */
export function appSecretFrom(entropy: Uint8Array): AppSecret {
  if (entropy.length !== APP_SECRET_BYTES) throw new RangeError('an app password needs 16 bytes of entropy')
  let number = 0n
  for (const byte of entropy) number = (number << 8n) | BigInt(byte)
  let secret = ''
  for (let shift = 123n; shift >= 3n; shift -= 5n) secret += alphabet.charAt(Number((number >> shift) & 31n))
  return secret as AppSecret // Only of the alphabet, and 25 long.
}

/** The app password as it is shown once, like `wwp_ABCDE-FGHJK-MNPQR-STVWX-YZ012`. */
export function formatAppPassword(secret: AppSecret): string {
  return `${PREFIX}${(secret.match(/.{5}/g) ?? []).join('-')}`
}

/**
 * Reads an app password as people type it: either case, ASCII spaces and hyphens anywhere, O for 0, and I or L for 1.
 *
 * @returns `undefined` for any other text, so that no password of a person is ever looked up.
 */
export function parseAppPassword(text: string): AppSecret | undefined {
  const compact = withoutSeparators(text)
  // Checked before the case is changed: 'ı' and 'ſ' become ASCII letters in upper case.
  if (!/^[Ww][Ww][Pp]_[0-9A-Za-z]{25}$/.test(compact)) return undefined
  const canonical = compact.slice(PREFIX.length).toUpperCase().replaceAll('O', '0').replaceAll(/[IL]/g, '1')
  // The letter U, which the alphabet has not, is all that could still be wrong.
  return /^[0-9A-HJKMNP-TV-Z]{25}$/.test(canonical) ? (canonical as AppSecret) : undefined
}

/**
 * The hash by which an app password is stored and found.
 *
 * A fast one is right: nobody searches 125 random bits through, however fast, so a slow hash would protect nothing and
 * cost every request of a program as much as a sign-in.
 */
export function hashAppSecret(secret: AppSecret): AppSecretHash {
  return createHash('sha256').update(PREFIX).update(secret).digest('base64url') as AppSecretHash
}

/** Why an app password that exists does not open what was asked for. */
export type AppPasswordRefusal = 'other-user' | 'disabled' | 'expired' | 'other-policy'

/**
 * Whether an app password opens a policy at an instant: why not, or `undefined` when it does.
 *
 * @param asked.policy `undefined` for one that takes no app passwords.
 */
export function appPasswordRefusal(
  { expiresAt, policies }: Pick<AppPassword, 'expiresAt' | 'policies'>,
  asked: { readonly isOwner: boolean; readonly isDisabled: boolean; readonly policy: string | undefined },
  now: UnixSeconds,
): AppPasswordRefusal | undefined {
  if (!asked.isOwner) return 'other-user'
  if (asked.isDisabled) return 'disabled'
  if (expiresAt !== undefined && now >= expiresAt) return 'expired'
  return asked.policy !== undefined && policies.includes(asked.policy) ? undefined : 'other-policy'
}

/** Whether a use is worth writing down: at most once a minute, however often a program asks. */
export function isUseStale({ lastUsedAt }: Pick<AppPassword, 'lastUsedAt'>, now: UnixSeconds): boolean {
  return lastUsedAt === undefined || Math.abs(now - lastUsedAt) >= USE_INTERVAL
}

/** Whether an access policy is there and takes app passwords. */
export function takesAppPasswords(policy: AccessPolicy | undefined): boolean {
  return policy?.access.includes('app-password') === true
}

/** Whether a proof may make an app password for a policy: what one factor made must not open what demands two (SEC-AUTH-4). */
export function mayMakeFor(
  policy: Pick<AccessPolicy, 'proof'>,
  amr: readonly AuthenticationMethod[],
): boolean {
  return policy.proof === 'password' || isVerified(amr)
}

/**
 * The names of policies for which a person may make an app password by their proof, and that it would open: those with
 * names of their own, and of their groups.
 */
export function policiesToOffer(
  rules: {
    readonly accessPolicies: readonly AccessPolicy[]
    readonly accessPolicy: (name: string) => AccessPolicy | undefined
  },
  person: {
    readonly username: string
    readonly groups: readonly string[]
    readonly amr: readonly AuthenticationMethod[]
  },
): string[] {
  const ofGroups = person.groups.flatMap((group) => rules.accessPolicy(`group-${group}`) ?? [])
  const who = { ...person, by: 'app-password' } as const
  // From where it will be used is not known yet.
  const opens = (policy: AccessPolicy) =>
    mayMakeFor(policy, person.amr) &&
    decideAccess({ ...policy, networks: [] }, { who, address: '', now: 0 }).kind === 'allow'
  return [...rules.accessPolicies, ...ofGroups].filter(opens).map(({ name }) => name)
}

/**
 * When an app password made now will end.
 *
 * @param days how long it was asked to last; `undefined` for as long as the settings allow.
 * @param longestDays the operator's limit; 0 for none, where one may be made that does not end.
 * @returns the end, `'never'`, or `undefined` when so many days are not allowed.
 */
export function appPasswordEnd(
  days: number | undefined,
  longestDays: number,
  now: UnixSeconds,
): UnixSeconds | 'never' | undefined {
  if (days === undefined) return longestDays === 0 ? 'never' : now + longestDays * DAY
  const most = longestDays === 0 ? APP_PASSWORD_DAYS_MAXIMUM : longestDays
  return Number.isInteger(days) && days >= 1 && days <= most ? now + days * DAY : undefined
}
