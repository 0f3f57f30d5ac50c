import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CALLER_SECRET_MINIMUM, callerProof } from '../../src/domain/caller-proof.ts'

describe('the secret of a caller (SEC-FCGI-5)', () => {
  const secret = 'canary-secret-0123456789-ž'
  const isCaller = callerProof(secret)

  it('is the proof, and nothing else is', () => {
    assert.equal(isCaller(secret), true)
    for (const other of [undefined, '', secret.slice(1), `${secret} `, secret.toUpperCase(), `${secret}\0`]) {
      assert.equal(isCaller(other), false, JSON.stringify(other))
    }
  })

  it('is refused when it could be guessed', () => {
    assert.throws(() => callerProof('x'.repeat(CALLER_SECRET_MINIMUM - 1)), RangeError)
    assert.equal(callerProof('x'.repeat(CALLER_SECRET_MINIMUM))('x'.repeat(CALLER_SECRET_MINIMUM)), true)
  })
})
