import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { AccessPolicy } from '../../src/domain/access.ts'
import {
  type CodeWindow,
  codeWindowLength,
  codeWindowRefusal,
  readingsOf,
  takesPasswordCode,
} from '../../src/domain/code-window.ts'
import type { UserId } from '../../src/domain/user.ts'

const NOW = 1_800_000_000

describe('a field with a password and a code', () => {
  it('is read as a password followed by 8 or by 6 digits, and as nothing else', () => {
    assert.deepEqual(readingsOf('secret123456'), [{ password: 'secret', code: '123456' }])
    assert.deepEqual(readingsOf('secret12345678'), [
      { password: 'secret', code: '12345678' },
      { password: 'secret12', code: '345678' },
    ])
    assert.deepEqual(readingsOf('1234567'), [{ password: '1', code: '234567' }])
    assert.deepEqual(readingsOf('pass word 123456'), [{ password: 'pass word ', code: '123456' }])
    for (const text of [
      '',
      '123456',
      'secret',
      'secret12345',
      'secret123456 ',
      'secret12345６',
      'secret123-456',
    ])
      assert.deepEqual(readingsOf(text), [], text)
  })

  it('is read as what was put together, whatever the password is', () => {
    const digits = (length: number) =>
      fc
        .array(fc.integer({ min: 0, max: 9 }), { minLength: length, maxLength: length })
        .map((all) => all.join(''))
    const code = fc.oneof(digits(6), digits(8))
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), code, (password, typed) => {
        const readings = readingsOf(password + typed)
        assert.ok(readings.some((reading) => reading.password === password && reading.code === typed))
        assert.ok(readings.length <= 2)
        for (const reading of readings) assert.equal(reading.password + reading.code, password + typed)
      }),
    )
  })
})

describe('a window', () => {
  const policy: AccessPolicy = {
    ...{ name: 'dav', groups: [], users: [], networks: [], assertion: false, lease: 0, proof: 'two-factor' },
    access: ['password-code'],
  }
  const window: CodeWindow = {
    ...{
      id: 'w',
      userId: 'u' as UserId,
      policy: 'dav',
      host: 'https://a.example',
      address: '192.0.2.7',
      epoch: 3,
    },
    ...{ createdAt: NOW, expiresAt: NOW + 600, endedAt: undefined, lastUsedAt: NOW },
  }
  const asked = { isDisabled: false, epoch: 3, policy, address: '192.0.2.7' }
  const why = (more: Partial<typeof asked>, now = NOW, changed: Partial<CodeWindow> = {}) =>
    codeWindowRefusal({ ...window, ...changed }, { ...asked, ...more }, now)

  it('lasts eight hours unless the policy says otherwise, and never longer than it takes a proof for', () => {
    assert.equal(codeWindowLength({}), 8 * 3600)
    assert.equal(codeWindowLength({ codeWindow: 60 }), 60)
    assert.equal(codeWindowLength({ codeWindow: 86_400, within: 900 }), 900)
    assert.equal(codeWindowLength({ codeWindow: 60, within: 900 }), 60)
    assert.equal(codeWindowLength({ within: 900 }), 900)
    assert.equal(codeWindowLength({ within: 86_400 }), 8 * 3600)
  })

  it('opens its policy from its address to the second of its end', () => {
    assert.equal(why({}), undefined)
    assert.equal(why({}, NOW + 599), undefined)
    assert.equal(why({}, NOW + 600), 'expired')
    assert.equal(why({}, NOW - 10), undefined)
    // A clock that was set back.
    assert.equal(why({}, NOW - 11), 'expired')
  })

  it('says why it opens nothing, and the end before where it was shown', () => {
    assert.equal(why({ isDisabled: true, address: '' }), 'disabled')
    assert.equal(why({ epoch: 4, address: '' }), 'ended')
    assert.equal(why({ address: '' }, NOW, { endedAt: NOW }), 'ended')
    assert.equal(why({ address: '' }, NOW + 600), 'expired')
    assert.equal(why({ policy: { ...policy, name: 'svn' }, address: '' }), 'other-policy')
    assert.equal(why({ policy: { ...policy, codeWindow: 60 } }, NOW + 59), undefined)
    assert.equal(why({ policy: { ...policy, codeWindow: 60 } }, NOW + 60), 'expired')
    assert.equal(why({ address: '192.0.2.70' }), 'other-address')
  })

  it('is taken by policies that say so', () => {
    assert.equal(takesPasswordCode(policy), true)
    assert.equal(takesPasswordCode({ ...policy, access: ['session', 'app-password'] }), false)
    assert.equal(takesPasswordCode(undefined), false)
  })
})
