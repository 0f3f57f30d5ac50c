import type { AuthenticationMethod } from './login.ts'
import { CLOCK_SKEW, type Seconds, type UnixSeconds } from './time.ts'
import type { UserId } from './user.ts'

/** How long an application may believe an assertion. */
export const ASSERTION_LIFETIME: Seconds = 60

/** The `typ` of an assertion, so that no library takes it for a token of another kind (RFC 8725 §3.11). */
export const ASSERTION_TYPE = 'watchword-assertion+jwt'

/** How long anybody may keep the set of published keys. */
export const KEY_SET_LIFETIME: Seconds = 5 * 60

/** How long a server goes by the keys that it read last: a rotation reaches it within this time. */
export const KEYS_REMEMBERED: Seconds = 30

/**
 * How long a key is published before it signs: longer than `KEY_SET_LIFETIME` and `KEYS_REMEMBERED` together, and than
 * the ten minutes for which libraries keep a set that they were not told about.
 */
export const KEY_LEAD: Seconds = 15 * 60

/** The public half of a key for ES256, as a JSON Web Key (RFC 7518 §6.2.1). */
export interface PublicKey {
  readonly kty: 'EC'
  readonly crv: 'P-256'
  readonly x: string
  readonly y: string
}

/** A key that signs assertions, from `usedFrom` until that of the next generation. */
export interface SigningKey {
  /** The thumbprint of the public half (RFC 7638). */
  readonly id: string
  /** Counts from 1; each rotation is the next. */
  readonly generation: number
  readonly publicKey: PublicKey
  readonly sealedKey: string
  readonly createdAt: UnixSeconds
  readonly usedFrom: UnixSeconds
}

/** The key that signs at an instant, of keys in the order of their generations; `undefined` where there is none. */
export function signingKeyAt(keys: readonly SigningKey[], now: UnixSeconds): SigningKey | undefined {
  // One that another host made a second ago, by a clock that is ahead, is the only one all the same.
  return keys.findLast(({ usedFrom }) => usedFrom <= now) ?? keys[0]
}

/** The keys with which an assertion may be signed that somebody looks at now or soon: what is to be published. */
export function publishedKeys(keys: readonly SigningKey[], now: UnixSeconds): readonly SigningKey[] {
  return keys.filter((_, at) => {
    const successor = keys[at + 1]
    return successor === undefined || !isOver(successor, now)
  })
}

/** Whether all that was signed before this key began has ended. */
function isOver(successor: Pick<SigningKey, 'usedFrom'>, now: UnixSeconds): boolean {
  return successor.usedFrom + ASSERTION_LIFETIME + CLOCK_SKEW <= now
}

/** What an assertion says (RFC 7519 §4.1; `amr` and `auth_time` as in OpenID Connect Core §2). */
export interface AssertionClaims {
  /** Our origin. */
  readonly iss: string
  /** The origin of the protected host: at another one it is worth nothing. */
  readonly aud: string
  readonly sub: UserId
  readonly preferred_username: string
  readonly groups: readonly string[]
  readonly amr: readonly (AuthenticationMethod | 'app-password')[]
  /** When they proved who they are; an app password is no proof of that. */
  readonly auth_time?: UnixSeconds
  readonly iat: UnixSeconds
  readonly exp: UnixSeconds
}

/** Whom an assertion is about, and for whom it is. */
export interface AssertedIdentity {
  readonly issuer: string
  readonly audience: string
  readonly userId: UserId
  readonly username: string
  readonly groups: readonly string[]
  readonly amr: AssertionClaims['amr']
  readonly authTime: UnixSeconds | undefined
}

/** The claims of an assertion that is made now. */
export function assertionClaims(identity: AssertedIdentity, now: UnixSeconds): AssertionClaims {
  const { issuer, audience, userId, username, groups, amr, authTime } = identity
  return {
    iss: issuer,
    aud: audience,
    sub: userId,
    preferred_username: username,
    groups,
    amr,
    ...(authTime !== undefined && { auth_time: authTime }),
    iat: now,
    exp: now + ASSERTION_LIFETIME,
  }
}
