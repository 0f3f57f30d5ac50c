import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  ADMIN_IDLE,
  type AdminSession,
  decideReset,
  isAdmin,
  isAdminOpen,
  isAdminSeenStale,
  mayAdminister,
} from '../../src/domain/administration.ts'
import type { UserId } from '../../src/domain/user.ts'

const NOW = 1_800_000_000
const rules = { idleTimeout: 7200, absoluteLifetime: 43_200, freshFor: 300 }

const admin = (more: Partial<AdminSession['session'] & AdminSession['user']> = {}): AdminSession => ({
  session: { amr: more.amr ?? ['pwd', 'otp'], authTime: more.authTime ?? NOW },
  user: {
    isSuperuser: more.isSuperuser ?? true,
    disabled: more.disabled ?? false,
    hasSecondFactor: more.hasSecondFactor ?? true,
  },
})

describe('who administers (SEC-AZ-6)', () => {
  it('is a superuser who proved two factors', () => {
    assert.equal(isAdmin(admin()), true)
    assert.equal(isAdmin(admin({ amr: ['pwd', 'recovery'] })), true)
  })

  it('is nobody else', () => {
    assert.equal(isAdmin(admin({ isSuperuser: false })), false)
    assert.equal(isAdmin(admin({ amr: ['pwd'] })), false)
    assert.equal(isAdmin(admin({ amr: ['pwd'], hasSecondFactor: false })), false)
    assert.equal(isAdmin(admin({ disabled: true })), false)
  })
})

describe('administration', () => {
  const old = admin({ authTime: NOW - 3600 })

  it('opens by a fresh proof, and stays open while it is used', () => {
    assert.equal(isAdminOpen(admin(), 0, rules, NOW), true)
    assert.equal(isAdminOpen(old, 0, rules, NOW), false)
    assert.equal(isAdminOpen(old, NOW - ADMIN_IDLE + 1, rules, NOW), true)
    assert.equal(isAdminOpen(old, NOW - ADMIN_IDLE, rules, NOW), false)
  })

  it('does not stay open for longer because a clock was set back (FT-CLOCK-1)', () => {
    assert.equal(isAdminOpen(old, NOW + 10, rules, NOW), true)
    assert.equal(isAdminOpen(old, NOW + 11, rules, NOW), false)
  })

  it('is open to nobody who does not administer, however fresh', () => {
    assert.equal(isAdminOpen(admin({ isSuperuser: false }), NOW, rules, NOW), false)
    assert.equal(isAdminOpen(admin({ amr: ['pwd'] }), NOW, rules, NOW), false)
  })

  it('is written down as used once a minute', () => {
    assert.equal(isAdminSeenStale(NOW - 59, NOW), false)
    assert.equal(isAdminSeenStale(NOW - 60, NOW), true)
    assert.equal(isAdminSeenStale(NOW + 60, NOW), true)
  })

  it('is changed only with a fresh proof, open or not (SEC-AUTH-10)', () => {
    assert.equal(mayAdminister(admin({ authTime: NOW - 299 }), rules, NOW), true)
    assert.equal(mayAdminister(admin({ authTime: NOW - 300 }), rules, NOW), false)
    assert.equal(mayAdminister(admin({ isSuperuser: false }), rules, NOW), false)
  })
})

describe('the reset of a second factor by administrators (SEC-AUTH-16)', () => {
  const [one, other] = ['one' as UserId, 'other' as UserId]
  const asked = (requestedBy: UserId, requesterMayAdminister = true) => ({
    requestedBy,
    requesterMayAdminister,
  })
  const superuser = { isSuperuser: true }

  it('takes one for a user', () => {
    assert.equal(decideReset({ isSuperuser: false }, one, undefined), 'reset')
  })

  it('takes two for a superuser', () => {
    assert.equal(decideReset(superuser, one, undefined), 'request')
    assert.equal(decideReset(superuser, one, asked(one)), 'needs-another-admin')
    assert.equal(decideReset(superuser, other, asked(one)), 'reset')
  })

  it('does not count what somebody asked for who may administer no more', () => {
    assert.equal(decideReset(superuser, other, asked(one, false)), 'request')
  })
})
