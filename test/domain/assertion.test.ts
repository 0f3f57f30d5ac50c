import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  ASSERTION_LIFETIME,
  assertionClaims,
  KEY_LEAD,
  KEY_SET_LIFETIME,
  KEYS_REMEMBERED,
  publishedKeys,
  type SigningKey,
  signingKeyAt,
} from '../../src/domain/assertion.ts'
import { CLOCK_SKEW } from '../../src/domain/time.ts'
import type { UserId } from '../../src/domain/user.ts'

const NOW = 1_800_000_000

const key = (generation: number, usedFrom: number): SigningKey => ({
  id: `key-${generation}`,
  generation,
  publicKey: { kty: 'EC', crv: 'P-256', x: '', y: '' },
  sealedKey: '',
  createdAt: usedFrom,
  usedFrom,
})
const ids = (keys: readonly SigningKey[]) => keys.map(({ id }) => id)

describe('an assertion (SEC-PXY-4)', () => {
  const identity = {
    issuer: 'https://auth.example.com',
    audience: 'https://wiki.example.net',
    userId: 'id' as UserId,
    username: 'Ada',
    groups: ['staff'],
    amr: ['pwd', 'otp'],
    authTime: NOW - 5,
  } as const

  it('says who, for whom, by what proof and until when', () => {
    assert.deepEqual(assertionClaims(identity, NOW), {
      iss: 'https://auth.example.com',
      aud: 'https://wiki.example.net',
      sub: 'id',
      preferred_username: 'Ada',
      groups: ['staff'],
      amr: ['pwd', 'otp'],
      auth_time: NOW - 5,
      iat: NOW,
      exp: NOW + 60,
    })
  })

  it('claims no time of a proof where a program came', () => {
    const claims = assertionClaims({ ...identity, amr: ['app-password'], authTime: undefined }, NOW)
    assert.equal('auth_time' in claims, false)
    assert.deepEqual(claims.amr, ['app-password'])
  })
})

describe('the keys of assertions (SEC-CRY-6)', () => {
  const keys = [key(1, NOW - 100_000), key(2, NOW)]

  it('sign from the second at which they are to be used', () => {
    assert.equal(signingKeyAt([], NOW), undefined)
    assert.equal(signingKeyAt(keys, NOW - 1)?.id, 'key-1')
    assert.equal(signingKeyAt(keys, NOW)?.id, 'key-2')
  })

  it('sign at once where there is no other, also for a host whose clock is behind', () => {
    assert.equal(signingKeyAt([key(1, NOW)], NOW - 5)?.id, 'key-1')
  })

  it('are published before they sign, for longer than anybody keeps the set without asking', () => {
    assert.deepEqual(ids(publishedKeys(keys, NOW - KEY_LEAD)), ['key-1', 'key-2'])
    assert.ok(KEY_LEAD >= KEY_SET_LIFETIME + KEYS_REMEMBERED + CLOCK_SKEW)
    // What jose keeps, which does not look at Cache-Control.
    assert.ok(KEY_LEAD > 10 * 60)
  })

  it('are published until their last assertion is over', () => {
    const end = NOW + ASSERTION_LIFETIME + CLOCK_SKEW
    assert.deepEqual(ids(publishedKeys(keys, end - 1)), ['key-1', 'key-2'])
    assert.deepEqual(ids(publishedKeys(keys, end)), ['key-2'])
    assert.deepEqual(ids(publishedKeys([key(1, 0)], end)), ['key-1'])
  })
})
