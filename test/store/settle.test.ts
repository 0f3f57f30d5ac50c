import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type BackupRow, settler } from '../../src/store/backup/settle.ts'
import type { Standing } from '../../src/store/backup/standing.ts'

const NOW = 1_800_000_000
const nothing: Standing = {
  ...{ users: new Map(), passwords: new Map(), devices: new Map() },
  ...{ recoveryCodes: new Set(), members: new Set(), appPasswords: new Set(), signingKeys: new Set() },
  attempts: new Map(),
}
const user = { id: 'u', epoch: 3, disabled_at: null, has_second_factor: 0 }
const totp = {
  ...{ id: 'd', kind: 'totp', confirmed_at: 1, disabled_at: null, period: 30, t0: 0 },
  ...{ drift: 1, last_used_step: 5, counter: 0 },
}
const present = NOW / 30 + totp.drift

const settle = (table: string, row: BackupRow, later?: Partial<Standing>) =>
  settler({ later: later && { ...nothing, ...later }, charged: new Map(), now: NOW, window: 1 }).settle(
    table,
    row,
  )

describe('what becomes of the rows of a backup (SEC-DB-4)', () => {
  it('ends what was under way, whatever is known', () => {
    for (const table of [
      'session',
      'login',
      'ticket',
      'site_session',
      'invitation',
      'reset_request',
      'known_browser',
    ])
      for (const later of [undefined, nothing])
        assert.equal(settle(table, { id: 'x' }, later), undefined, table)
    assert.equal(settle('otp_device', { ...totp, confirmed_at: null }), undefined)
    assert.deepEqual(settle('code_window', { ended_at: null }), { ended_at: NOW })
    assert.deepEqual(settle('code_window', { ended_at: 7 }), { ended_at: 7 })
    assert.deepEqual(settle('audit_event', { id: 'x' }), { id: 'x' })
  })

  it('moves every user on, and lets in nobody who was disabled or deleted since', () => {
    assert.deepEqual(settle('user', user), { ...user, epoch: 4 })
    assert.deepEqual(settle('user', user, nothing), { ...user, epoch: 4, disabled_at: NOW })
    const standing = (disabled: boolean, hasSecondFactor = false) => ({
      users: new Map([['u', { disabled, hasSecondFactor }]]),
    })
    assert.deepEqual(settle('user', user, standing(true)), { ...user, epoch: 4, disabled_at: NOW })
    assert.deepEqual(settle('user', user, standing(false)), { ...user, epoch: 4 })
    // Who set up a factor since has lost it: the password alone must not become enough again.
    assert.deepEqual(settle('user', user, standing(false, true)), { ...user, epoch: 4, has_second_factor: 1 })
    assert.equal(settle('user', { ...user, disabled_at: 9 }, standing(false))?.disabled_at, 9)
  })

  it('spends the codes that were shown since', () => {
    assert.equal(settle('otp_device', totp)?.last_used_step, present + 1)
    assert.equal(settle('otp_device', { ...totp, last_used_step: present + 9 })?.last_used_step, present + 9)
    assert.equal(settle('otp_device', { ...totp, kind: 'hotp' })?.disabled_at, NOW)
    const kept = (lastUsedStep: number, counter: number, disabled = false) => ({
      devices: new Map([['d', { lastUsedStep, counter, disabled }]]),
    })
    assert.equal(settle('otp_device', totp, kept(8, 0))?.last_used_step, 8)
    assert.equal(settle('otp_device', totp, kept(2, 0))?.last_used_step, 5)
    assert.equal(settle('otp_device', { ...totp, kind: 'hotp', counter: 4 }, kept(-1, 14))?.counter, 14)
    assert.equal(settle('otp_device', totp, kept(8, 0, true))?.disabled_at, NOW)
    assert.equal(settle('otp_device', totp, nothing), undefined)
  })

  it('keeps the later password, and gives back no grant that was taken away', () => {
    const row = { user_id: 'u', hash: 'old', changed_at: 5, must_change: 0 }
    const later = (changedAt: number) => ({
      passwords: new Map([['u', { hash: 'new' as never, changedAt, mustChange: true }]]),
    })
    // Whatever the clock said (FT-CLOCK-1).
    for (const changedAt of [4, 5, 6]) {
      const now = { ...row, hash: 'new', changed_at: changedAt, must_change: 1 }
      assert.deepEqual(settle('password_hash', row, later(changedAt)), now)
    }
    assert.deepEqual(settle('password_hash', row, nothing), row)
    const code = { user_id: 'u', code_index: 1, hash: 'h' }
    assert.equal(settle('recovery_code', code), undefined)
    assert.equal(settle('recovery_code', code, { recoveryCodes: new Set(['u 1 other']) }), undefined)
    assert.equal(settle('recovery_code', code, { recoveryCodes: new Set(['u 1 h']) }), code)
    const member = { user_id: 'u', group_name: 'staff' }
    assert.equal(settle('group_member', member), member)
    assert.equal(settle('group_member', member, nothing), undefined)
    assert.equal(settle('app_password', { id: 'a' }), undefined)
    assert.equal(settle('app_password', { id: 'a' }, nothing), undefined)
    assert.deepEqual(settle('app_password', { id: 'a' }, { appPasswords: new Set(['a']) }), { id: 'a' })
    const key = { id: 'k', generation: 1 }
    assert.equal(settle('signing_key', key), key)
    assert.equal(settle('signing_key', key, nothing), undefined)
    assert.equal(settle('signing_key', key, { signingKeys: new Set(['k']) }), key)
  })

  it('shortens no wait: of what was charged for guesses then and now the higher counts (SEC-RATE-1)', () => {
    const charged = new Map([
      ['more now', { count: 9, since: 50, blockedUntil: 90 }],
      ['less now', { count: 1, since: 60, blockedUntil: 0 }],
      ['only now', { count: 7, since: 70, blockedUntil: 80 }],
    ])
    const { settle: settleRow, added } = settler({ later: undefined, charged, now: NOW, window: 1 })
    const then = (key: string) => ({ key, count: 5, since: 40, blocked_until: 70 })
    assert.deepEqual(settleRow('attempts', then('more now')), {
      key: 'more now',
      count: 9,
      since: 50,
      blocked_until: 90,
    })
    assert.deepEqual(settleRow('attempts', then('less now')), {
      key: 'less now',
      count: 5,
      since: 60,
      blocked_until: 70,
    })
    assert.deepEqual(settleRow('attempts', then('only then')), then('only then'))
    assert.deepEqual(added(), {
      table: { name: 'attempts', columns: ['key', 'count', 'since', 'blocked_until'] },
      rows: [['only now', 7, 70, 80]],
    })
  })
})
