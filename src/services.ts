import type { HashTurn, PasswordHasher } from './crypto/password-hasher.ts'
import type { Sealer } from './crypto/sealer.ts'
import type { Signing } from './crypto/signing.ts'
import type { AccessPolicy } from './domain/access.ts'
import type { EnrolmentPolicy } from './domain/login.ts'
import type { PasswordLists, PasswordRules } from './domain/password/policy.ts'
import type { SessionRules } from './domain/session.ts'
import type { ThrottleRule } from './domain/throttle.ts'
import type { Seconds, UnixSeconds } from './domain/time.ts'
import type { Token } from './domain/token.ts'
import type { Db } from './store/database.ts'

export type { HashTurn }

/** The record that everything is made of; each function names the part it needs. */
export interface Services {
  readonly db: Db
  /** The one clock. */
  readonly now: () => UnixSeconds
  readonly newToken: () => Token
  readonly newId: () => string
  readonly entropy: (bytes: number) => Uint8Array
  readonly hasher: PasswordHasher
  readonly sealer: Sealer
  readonly signing: Signing
  readonly passwordLists: PasswordLists
  readonly policy: Policy
}

/** What the operator decided. */
export interface Policy {
  /** Shown by authenticators above the code. */
  readonly issuer: string
  readonly enrolment: EnrolmentPolicy
  readonly loginLifetime: Seconds
  readonly enrolmentLifetime: Seconds
  readonly session: SessionRules & {
    /** Sessions a user may have at once. */
    readonly limit: number
    readonly browserLifetime: Seconds
  }
  /** Time steps accepted either side of the current one (SEC-OTP-3). */
  readonly totpWindow: 0 | 1 | 2
  readonly maximumDevices: number
  readonly password: PasswordRules
  readonly appPasswords: {
    /** Longest life of one, in days; 0 for no limit. */
    readonly longestDays: number
  }
  readonly throttle: ThrottlePolicy
  readonly auditRetention: Seconds
  /** The access policy of a name; `undefined` for one that nobody knows, which opens nothing. */
  readonly accessPolicy: (name: string) => AccessPolicy | undefined
  /** Policies with names of their own, built in and from the settings. */
  readonly accessPolicies: readonly AccessPolicy[]
}

/** The limits on guessing (SEC-DOC-1). */
export interface ThrottlePolicy {
  /** For one name, or for one known browser. */
  readonly password: ThrottleRule
  /** For one user's codes of every kind; never forgotten. */
  readonly code: ThrottleRule
  readonly network: ThrottleRule
  readonly site: ThrottleRule
  readonly server: ThrottleRule
  /** Consecutive wrong codes after which devices are disabled (SEC-OTP-6). */
  readonly disableAfter: number
}
