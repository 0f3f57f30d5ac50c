import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type AccessPolicy, builtInPolicies, findPolicy } from '../../src/domain/access.ts'
import {
  APP_SECRET_BYTES,
  appPasswordEnd,
  appPasswordRefusal,
  appSecretFrom,
  formatAppPassword,
  hashAppSecret,
  isUseStale,
  parseAppPassword,
  policiesToOffer,
  takesAppPasswords,
} from '../../src/domain/app-password.ts'
import { canonicalCode } from '../../src/domain/otp/code.ts'
import { parseRecoveryCode } from '../../src/domain/otp/recovery-code.ts'
import { parseToken } from '../../src/domain/token.ts'

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const anyEntropy = fc.uint8Array({ minLength: APP_SECRET_BYTES, maxLength: APP_SECRET_BYTES })
const anySecret = anyEntropy.map(appSecretFrom)
const NOW = 1_800_000_000
const DAY = 86_400

describe('an app password', () => {
  it('is shown with a prefix that scanners find, and five groups of five', () => {
    assert.equal(formatAppPassword(appSecretFrom(new Uint8Array(16))), 'wwp_00000-00000-00000-00000-00000')
    assert.equal(
      formatAppPassword(appSecretFrom(new Uint8Array(16).fill(255))),
      'wwp_ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ',
    )
    const counting = Buffer.from('00443214c74254b635cf84653a56d7c6', 'hex')
    assert.equal(formatAppPassword(appSecretFrom(counting)), 'wwp_01234-56789-ABCDE-FGHJK-MNPQR')
  })

  it('carries 125 bits: all but the last three can be read back from it', () => {
    fc.assert(
      fc.property(anyEntropy, (entropy) => {
        const secret = appSecretFrom(entropy)
        const number = [...secret].reduce((sum, symbol) => sum * 32n + BigInt(crockford.indexOf(symbol)), 0n)
        assert.equal(secret.length, 25)
        assert.equal(number, BigInt(`0x${Buffer.from(entropy).toString('hex')}`) >> 3n)
      }),
    )
  })

  it('is not made of another number of bytes', () => {
    for (const length of [0, 15, 17]) {
      assert.throws(() => appSecretFrom(new Uint8Array(length)), RangeError)
    }
  })

  it('is read back in either case, with other separators or none, O for 0 and I or L for 1', () => {
    fc.assert(
      fc.property(anySecret, (secret) => {
        const shown = formatAppPassword(secret)
        assert.match(shown, /^wwp_[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){4}$/)
        const typed = [
          shown,
          shown.toLowerCase(),
          shown.toUpperCase(),
          shown.replaceAll('-', ''),
          ` ${shown.replaceAll('-', ' ')} `,
          shown.replaceAll('0', 'o').replaceAll('1', 'l'),
          shown.replaceAll('0', 'O').replaceAll('1', 'I'),
        ]
        for (const text of typed) assert.equal(parseAppPassword(text), secret, text)
      }),
    )
  })

  it('is no other text, so that no password of a person is ever looked up (SEC-AUTH-4)', () => {
    const good = 'wwp_01234-56789-ABCDE-FGHJK-MNPQR'
    const others = [
      ...['', 'wwp_', 'correct horse battery staple', good.slice(4), good.slice(0, -1), `${good}0`],
      ...[good.replace('A', 'U'), good.replace('A', 'ı'), good.replace('wwp', 'ｗｗｐ'), `${good}\n`],
      ...[good.replace('_', '-'), good.replace('wwp_', 'wwq_'), good.replaceAll('-', '_'), `x${good}`],
    ]
    for (const text of others) assert.equal(parseAppPassword(text), undefined, text)
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        if (!/^ *w/i.test(text)) assert.equal(parseAppPassword(text), undefined)
      }),
    )
  })

  it('is no code, no recovery code and no token, in whatever spelling', () => {
    fc.assert(
      fc.property(anySecret, (secret) => {
        for (const text of [formatAppPassword(secret), formatAppPassword(secret).replaceAll('-', '')]) {
          assert.equal(canonicalCode(text), undefined)
          assert.equal(parseRecoveryCode(text), undefined)
          assert.equal(parseToken(text), undefined)
        }
      }),
    )
  })

  it('is found by its SHA-256, that of the form without hyphens', () => {
    const secret = appSecretFrom(randomBytes(APP_SECRET_BYTES))
    const text = formatAppPassword(secret).replaceAll('-', '')
    assert.equal(hashAppSecret(secret), createHash('sha256').update(text).digest('base64url'))
  })
})

describe('what an app password opens', () => {
  const owned = { policies: ['svn', 'two-factor'], expiresAt: NOW + 1 }
  const asked = { isOwner: true, isDisabled: false, policy: 'svn' }

  it('is the policies that it names, for its owner, until it ends', () => {
    assert.equal(appPasswordRefusal(owned, asked, NOW), undefined)
    assert.equal(appPasswordRefusal({ ...owned, expiresAt: undefined }, asked, NOW * 2), undefined)
    assert.equal(appPasswordRefusal(owned, asked, NOW + 1), 'expired')
    assert.equal(appPasswordRefusal(owned, { ...asked, isOwner: false }, NOW), 'other-user')
    assert.equal(appPasswordRefusal(owned, { ...asked, isDisabled: true }, NOW), 'disabled')
    for (const policy of ['wiki', 'sv', 'svn two-factor', '', undefined]) {
      assert.equal(appPasswordRefusal(owned, { ...asked, policy }, NOW), 'other-policy')
    }
  })

  it('is no policy that is not there or takes none', () => {
    assert.equal(takesAppPasswords(undefined), false)
    assert.equal(takesAppPasswords(findPolicy('two-factor', new Map())), true)
    assert.equal(takesAppPasswords(findPolicy('two-factor-recent', new Map())), false)
  })

  it('is offered as far as the person would be let in, wherever they are', () => {
    const base = builtInPolicies.find(({ name }) => name === 'two-factor')
    assert.ok(base)
    const own: AccessPolicy[] = [
      {
        ...base,
        name: 'svn',
        users: ['alice'],
        networks: [{ family: 'ipv4', address: '192.0.2.1', prefix: 32 }],
      },
      { ...base, name: 'staff-only', groups: ['staff'] },
      { ...base, name: 'pages', access: ['session'] },
    ]
    const byName = new Map(own.map((policy) => [policy.name, policy]))
    const rules = {
      accessPolicies: [...builtInPolicies, ...own],
      accessPolicy: (name: string) => findPolicy(name, byName),
    }
    const amr = ['pwd', 'otp'] as const
    assert.deepEqual(policiesToOffer(rules, { username: 'Alice', groups: [], amr }), [
      'password',
      'two-factor',
      'svn',
    ])
    assert.deepEqual(policiesToOffer(rules, { username: 'bob', groups: ['staff'], amr }), [
      'password',
      'two-factor',
      'staff-only',
      'group-staff',
    ])
    // Whoever proved a password alone is not offered what would be refused.
    assert.deepEqual(policiesToOffer(rules, { username: 'bob', groups: ['staff'], amr: ['pwd'] }), [
      'password',
    ])
  })
})

describe('how long an app password lasts', () => {
  it('is what was asked for, within what the settings allow', () => {
    assert.equal(appPasswordEnd(1, 365, NOW), NOW + DAY)
    assert.equal(appPasswordEnd(365, 365, NOW), NOW + 365 * DAY)
    assert.equal(appPasswordEnd(undefined, 365, NOW), NOW + 365 * DAY)
    assert.equal(appPasswordEnd(400, 0, NOW), NOW + 400 * DAY)
    assert.equal(appPasswordEnd(undefined, 0, NOW), 'never')
    for (const [days, longest] of [
      [0, 365],
      [-1, 365],
      [366, 365],
      [1.5, 365],
      [Number.NaN, 365],
      [401, 0],
      [0, 0],
    ] as const) {
      assert.equal(appPasswordEnd(days, longest, NOW), undefined)
    }
  })

  it('is written down once a minute at most, also after the clock went back', () => {
    assert.equal(isUseStale({ lastUsedAt: undefined }, NOW), true)
    assert.equal(isUseStale({ lastUsedAt: NOW }, NOW + 59), false)
    assert.equal(isUseStale({ lastUsedAt: NOW }, NOW + 60), true)
    assert.equal(isUseStale({ lastUsedAt: NOW }, NOW - 59), false)
    assert.equal(isUseStale({ lastUsedAt: NOW }, NOW - 60), true)
  })
})
