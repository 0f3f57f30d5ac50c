import type { AuditEvent, AuditEventName } from '../../../domain/audit.ts'
import type { AuthenticationMethod } from '../../../domain/login.ts'

/** What an event of this name says beside its name. */
type FieldsOf<Name extends AuditEventName> = Omit<Extract<AuditEvent, { event: Name }>, 'event'>

/** Sentences for the events whose fields matter; for all others their name is the sentence. */
type Sentences = { readonly [Name in AuditEventName]?: (fields: FieldsOf<Name>) => string }

const methods: Readonly<Record<AuthenticationMethod, string>> = {
  pwd: 'password',
  otp: 'one-time code',
  recovery: 'recovery code',
}

/**
 * Audit events in words. They say neither who nor whom,
 * so that they read alike in one's own list and in that of an administrator.
 */
export const audit = {
  /** How somebody proved who they are. */
  methods,
  /** Who did it, where it was not the user. */
  by: {
    admin: 'by an administrator',
    operator: 'by the operator',
  },
  /** Short names, also to choose from. */
  names: {
    'password-accepted': 'Password accepted',
    'password-refused': 'Password refused',
    'code-refused': 'Code refused',
    throttled: 'Too many attempts',
    'signed-in': 'Signed in',
    'recovery-code-used': 'Recovery code used',
    'signed-out': 'Signed out',
    'session-ended': 'Session ended',
    'other-sessions-ended': 'Other sessions ended',
    'sessions-ended': 'All sessions ended',
    'enrolment-begun': 'Setting up an authenticator begun',
    'device-confirmed': 'Authenticator set up',
    'device-added': 'Authenticator handed out',
    'device-renamed': 'Authenticator renamed',
    'device-removed': 'Authenticator removed',
    'devices-disabled': 'Authenticators disabled',
    'recovery-codes-made': 'Recovery codes made',
    'app-password-made': 'App password made',
    'app-password-revoked': 'App password revoked',
    'app-password-refused': 'App password refused',
    'code-window-opened': 'Program let in by password and code',
    'code-window-ended': 'Way in of a program ended',
    'code-window-refused': 'Spent password and code refused',
    'password-changed': 'Password changed',
    'invitation-made': 'Invitation made',
    'invitation-used': 'Invitation used',
    'setup-begun': 'First start: setup address printed',
    'setup-done': 'First start: first account made',
    'user-created': 'Account made',
    'user-imported': 'Account imported',
    'import-done': 'Accounts imported',
    'user-disabled': 'Account disabled',
    'user-enabled': 'Account enabled',
    'user-unlocked': 'Waits lifted',
    'user-deleted': 'Account deleted',
    'second-factor-reset': 'Second factor reset',
    'reset-requested': 'Reset of the second factor asked for',
    'reset-withdrawn': 'Reset of the second factor withdrawn',
    'group-created': 'Group made',
    'group-deleted': 'Group deleted',
    'group-member-added': 'Added to a group',
    'group-member-removed': 'Removed from a group',
    'keys-rotated': 'Sealing key replaced',
    'keys-pruned': 'Old sealing keys removed',
    'signing-key-rotated': 'Signing key replaced',
    'backup-made': 'Backup made',
    'database-restored': 'Database restored from a backup',
    'database-moved': 'Database moved',
    'audit-exported': 'Audit log saved as a file',
    'users-exported': 'Users exported',
  } satisfies Readonly<Record<AuditEventName, string>> as Readonly<Record<AuditEventName, string>>,
  sentences: {
    'password-refused': ({ reason }) => {
      switch (reason) {
        case 'wrong-password':
          return 'Wrong password'
        case 'unknown-user':
          return 'Password for an unknown username'
        case 'disabled':
          return 'Password refused: the account is disabled'
        case 'no-password':
          return 'Password refused: the account has none yet'
      }
    },
    'code-refused': ({ reason }) => {
      switch (reason) {
        case 'wrong-code':
          return 'Wrong code'
        case 'malformed':
          return 'Something was entered that is no code'
        case 'repeated':
          return 'A used code was entered again'
        case 'no-device':
          return 'Code refused: no authenticator is set up'
        case 'no-enrolment':
          return 'Code refused: no authenticator is being set up'
      }
    },
    throttled: ({ wait }) => `Too many attempts: a wait of ${wait === 1 ? '1 second' : `${wait} seconds`}`,
    'signed-in': ({ amr }) => `Signed in with ${amr.map((method) => methods[method]).join(' and ')}`,
    'recovery-code-used': ({ remaining }) => `Recovery code used; ${remaining} left`,
    'session-ended': ({ reason }) => {
      switch (reason) {
        case 'by-user':
        case 'by-admin':
          return 'A session ended'
        case 'over-limit':
          return 'The oldest session ended, because there were too many'
      }
    },
    'other-sessions-ended': ({ count }) =>
      count === 1 ? '1 other session ended' : `${count} other sessions ended`,
    'sessions-ended': ({ count }) => (count === 1 ? '1 session ended' : `All ${count} sessions ended`),
    'device-confirmed': ({ name }) => `Authenticator “${name}” set up`,
    'device-added': ({ name }) => `Authenticator “${name}” handed out`,
    'device-renamed': ({ name }) => `Authenticator renamed to “${name}”`,
    'device-removed': ({ name }) => `Authenticator “${name}” removed`,
    'devices-disabled': ({ failures }) => `Authenticators disabled after ${failures} wrong codes`,
    'recovery-codes-made': ({ count }) => `${count} recovery codes made; the former set works no more`,
    'app-password-made': ({ name, policies }) => `App password “${name}” made, for ${policies.join(', ')}`,
    'app-password-revoked': ({ name }) => `App password “${name}” revoked`,
    'app-password-refused': ({ name, reason, policy }) => {
      switch (reason) {
        case 'other-user':
          return `App password “${name}” came with another username`
        case 'disabled':
          return `App password “${name}” refused: the account is disabled`
        case 'expired':
          return `App password “${name}” refused: it has ended`
        case 'other-policy':
          return `App password “${name}” refused: it does not open ${policy}`
      }
    },
    'code-window-opened': ({ policy }) => `A program was let in by password and code, for ${policy}`,
    'code-window-ended': ({ policy }) => `The way in of a program to ${policy} was ended`,
    'code-window-refused': ({ reason, policy }) => {
      switch (reason) {
        case 'disabled':
          return 'Password and code of a program refused: the account is disabled'
        case 'ended':
        case 'expired':
          return `Password and code of a program came again for ${policy}: their time is over`
        case 'other-policy':
          return `Password and code of a program refused: they do not open ${policy}`
        case 'other-address':
          return `Password and code of a program came again for ${policy} from another address`
      }
    },
    'password-changed': ({ reason }) => {
      switch (reason) {
        case 'by-user':
          return 'Password changed'
        case 'by-operator':
          return 'Password set'
        case 'by-invitation':
          return 'Password chosen with an invitation'
        case 'forced':
          return 'Password replaced at sign-in'
      }
    },
    'user-created': ({ isSuperuser }) => (isSuperuser ? 'Account of an administrator made' : 'Account made'),
    'user-imported': ({ source, change }) =>
      change === 'made' ? `Account imported from ${source}` : `Account changed by an import from ${source}`,
    'import-done': ({ source, made, changed }) =>
      `Import from ${source}: ${made} accounts made, ${changed} changed`,
    'group-created': ({ group }) => `Group “${group}” made`,
    'group-deleted': ({ group }) => `Group “${group}” deleted`,
    'group-member-added': ({ group }) => `Added to the group “${group}”`,
    'group-member-removed': ({ group }) => `Removed from the group “${group}”`,
    'keys-rotated': ({ keyId, resealed }) => `Sealing key ${keyId} in use; ${resealed} secrets sealed anew`,
    'keys-pruned': ({ keyIds }) => `Old sealing keys removed: ${keyIds.join(', ')}`,
    'signing-key-rotated': ({ keyId }) => `Signing key ${keyId} published`,
  } satisfies Sentences as Sentences,
}
