import type { AppPasswordRefusal } from './app-password.ts'
import type { CodeWindowRefusal } from './code-window.ts'
import type { AuthenticationMethod } from './login.ts'
import type { Seconds, UnixSeconds } from './time.ts'
import type { UserId } from './user.ts'

/** Who did it: somebody at the other end of HTTP, the operator at the command line, or the server itself. */
export type Actor =
  | { readonly kind: 'user'; readonly userId: UserId }
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'operator'; readonly name: string }
  | { readonly kind: 'system' }

/**
 * The closed list of audit events and their fields.
 *
 * No field ever holds a password, a code, a secret or a token; a name that belongs to nobody appears as a
 * keyed hash only, because people type passwords there (SEC-LOG-3).
 */
export type AuditEvent =
  | { readonly event: 'password-accepted' }
  | {
      readonly event: 'password-refused'
      readonly reason: 'wrong-password' | 'unknown-user' | 'disabled' | 'no-password'
      readonly nameHash?: string
    }
  | { readonly event: 'code-refused'; readonly reason: CodeRefusal }
  | { readonly event: 'throttled'; readonly budget: string; readonly wait: Seconds }
  | { readonly event: 'signed-in'; readonly amr: readonly AuthenticationMethod[]; readonly sessionId: string }
  | { readonly event: 'recovery-code-used'; readonly remaining: number }
  | { readonly event: 'signed-out'; readonly sessionId: string }
  | {
      readonly event: 'session-ended'
      readonly sessionId: string
      readonly reason: 'by-user' | 'by-admin' | 'over-limit'
    }
  | { readonly event: 'other-sessions-ended'; readonly count: number }
  | { readonly event: 'sessions-ended'; readonly count: number }
  | { readonly event: 'enrolment-begun'; readonly deviceId: string }
  | { readonly event: 'device-confirmed'; readonly deviceId: string; readonly name: string }
  | {
      readonly event: 'device-added'
      readonly deviceId: string
      readonly name: string
      readonly type: string
    }
  | { readonly event: 'device-renamed'; readonly deviceId: string; readonly name: string }
  | { readonly event: 'device-removed'; readonly deviceId: string; readonly name: string }
  | { readonly event: 'devices-disabled'; readonly failures: number }
  | { readonly event: 'recovery-codes-made'; readonly count: number }
  | {
      readonly event: 'app-password-made'
      readonly appPasswordId: string
      readonly name: string
      readonly policies: readonly string[]
    }
  | { readonly event: 'app-password-revoked'; readonly appPasswordId: string; readonly name: string }
  | {
      readonly event: 'app-password-refused'
      readonly appPasswordId: string
      readonly name: string
      readonly reason: AppPasswordRefusal
      /** What was asked for; the text of a name that Apache's configuration gave. */
      readonly policy: string
    }
  | { readonly event: 'code-window-opened'; readonly codeWindowId: string; readonly policy: string }
  | { readonly event: 'code-window-ended'; readonly codeWindowId: string; readonly policy: string }
  | {
      readonly event: 'code-window-refused'
      readonly codeWindowId: string
      readonly reason: CodeWindowRefusal
      /** What was asked for. */
      readonly policy: string
    }
  | {
      readonly event: 'password-changed'
      readonly reason: 'by-user' | 'by-operator' | 'by-invitation' | 'forced'
    }
  | { readonly event: 'invitation-made' }
  | { readonly event: 'invitation-used' }
  | { readonly event: 'setup-begun' }
  | { readonly event: 'setup-done' }
  | { readonly event: 'user-created'; readonly isSuperuser: boolean }
  | {
      readonly event: 'user-imported'
      readonly source: string
      readonly change: 'made' | 'changed'
      readonly isSuperuser: boolean
    }
  | {
      readonly event: 'import-done'
      readonly source: string
      readonly made: number
      readonly changed: number
      readonly leftOut: number
    }
  | { readonly event: 'user-disabled' }
  | { readonly event: 'user-enabled' }
  | { readonly event: 'user-unlocked' }
  | { readonly event: 'user-deleted' }
  | { readonly event: 'second-factor-reset' }
  | { readonly event: 'reset-requested' }
  | { readonly event: 'reset-withdrawn' }
  | { readonly event: 'group-created'; readonly group: string }
  | { readonly event: 'group-deleted'; readonly group: string }
  | { readonly event: 'group-member-added'; readonly group: string }
  | { readonly event: 'group-member-removed'; readonly group: string }
  | { readonly event: 'keys-rotated'; readonly keyId: string; readonly resealed: number }
  | { readonly event: 'keys-pruned'; readonly keyIds: readonly string[] }
  | {
      readonly event: 'signing-key-rotated'
      readonly keyId: string
      readonly usedFrom: UnixSeconds
    }
  | { readonly event: 'backup-made'; readonly withKeys: boolean }
  | { readonly event: 'database-restored'; readonly madeAt: UnixSeconds }
  | { readonly event: 'database-moved' }
  | { readonly event: 'audit-exported'; readonly format: 'csv' | 'jsonl' }
  | { readonly event: 'users-exported'; readonly format: 'jsonl' | 'htpasswd'; readonly withSecrets: boolean }

/** Why a code was refused; outwardly all of them are the same answer. */
export type CodeRefusal =
  | 'wrong-code'
  | 'malformed'
  /** The exact code that was accepted last came again: a double click, or somebody who watched (SEC-OTP-14). */
  | 'repeated'
  | 'no-device'
  | 'no-enrolment'

export type AuditEventName = AuditEvent['event']

/** Complete, or it does not compile. */
const names: Readonly<Record<AuditEventName, true>> = {
  'password-accepted': true,
  'password-refused': true,
  'code-refused': true,
  throttled: true,
  'signed-in': true,
  'recovery-code-used': true,
  'signed-out': true,
  'session-ended': true,
  'sessions-ended': true,
  'other-sessions-ended': true,
  'enrolment-begun': true,
  'device-confirmed': true,
  'device-added': true,
  'device-renamed': true,
  'device-removed': true,
  'devices-disabled': true,
  'recovery-codes-made': true,
  'app-password-made': true,
  'app-password-revoked': true,
  'app-password-refused': true,
  'code-window-opened': true,
  'code-window-ended': true,
  'code-window-refused': true,
  'password-changed': true,
  'invitation-made': true,
  'invitation-used': true,
  'setup-begun': true,
  'setup-done': true,
  'user-created': true,
  'user-imported': true,
  'import-done': true,
  'user-disabled': true,
  'user-enabled': true,
  'user-unlocked': true,
  'user-deleted': true,
  'second-factor-reset': true,
  'reset-requested': true,
  'reset-withdrawn': true,
  'group-created': true,
  'group-deleted': true,
  'group-member-added': true,
  'group-member-removed': true,
  'keys-rotated': true,
  'keys-pruned': true,
  'signing-key-rotated': true,
  'backup-made': true,
  'database-restored': true,
  'database-moved': true,
  'audit-exported': true,
  'users-exported': true,
}

/** Every event that can be asked for. */
export const auditEventNames = Object.keys(names) as readonly AuditEventName[] // The keys of the table above.

const refusals: ReadonlySet<AuditEventName> = new Set([
  'password-refused',
  'code-refused',
  'throttled',
  'devices-disabled',
  'app-password-refused',
  'code-window-refused',
])

/** Whether the event tells of something that was done or of something that was refused. */
export function outcomeOf(event: AuditEventName): 'success' | 'failure' {
  return refusals.has(event) ? 'failure' : 'success'
}
