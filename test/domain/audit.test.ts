import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type AuditEventName, outcomeOf } from '../../src/domain/audit.ts'

/** Every event; the compiler asks for a new one here as well. */
const outcomes: Readonly<Record<AuditEventName, 'success' | 'failure'>> = {
  'password-accepted': 'success',
  'password-refused': 'failure',
  'code-refused': 'failure',
  throttled: 'failure',
  'signed-in': 'success',
  'recovery-code-used': 'success',
  'signed-out': 'success',
  'session-ended': 'success',
  'sessions-ended': 'success',
  'other-sessions-ended': 'success',
  'enrolment-begun': 'success',
  'device-confirmed': 'success',
  'device-added': 'success',
  'device-renamed': 'success',
  'device-removed': 'success',
  'devices-disabled': 'failure',
  'recovery-codes-made': 'success',
  'app-password-made': 'success',
  'app-password-revoked': 'success',
  'app-password-refused': 'failure',
  'code-window-opened': 'success',
  'code-window-ended': 'success',
  'code-window-refused': 'failure',
  'password-changed': 'success',
  'invitation-made': 'success',
  'invitation-used': 'success',
  'setup-begun': 'success',
  'setup-done': 'success',
  'user-created': 'success',
  'user-imported': 'success',
  'import-done': 'success',
  'user-disabled': 'success',
  'user-enabled': 'success',
  'user-unlocked': 'success',
  'user-deleted': 'success',
  'second-factor-reset': 'success',
  'reset-requested': 'success',
  'reset-withdrawn': 'success',
  'group-created': 'success',
  'group-deleted': 'success',
  'group-member-added': 'success',
  'group-member-removed': 'success',
  'keys-rotated': 'success',
  'keys-pruned': 'success',
  'signing-key-rotated': 'success',
  'backup-made': 'success',
  'database-restored': 'success',
  'database-moved': 'success',
  'audit-exported': 'success',
  'users-exported': 'success',
}

describe('the outcome of an audit event (SEC-LOG-1)', () => {
  for (const [event, outcome] of Object.entries(outcomes)) {
    it(`is ${outcome} for ${event}`, () => {
      assert.equal(outcomeOf(event as AuditEventName), outcome)
    })
  }

  it('is failure for everything that somebody was refused', () => {
    const refused = (Object.keys(outcomes) as AuditEventName[]).filter((event) => event.endsWith('-refused'))
    assert.equal(refused.length, 4)
    for (const event of refused) assert.equal(outcomeOf(event), 'failure')
  })
})
