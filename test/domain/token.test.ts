import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { newToken } from '../../src/crypto/random.ts'
import { hashToken, parseToken, type Token } from '../../src/domain/token.ts'

const token = 'A'.repeat(43)

describe('a token that a client sent (SEC-SES-1)', () => {
  it('is 43 characters of base64url', () => {
    assert.equal(parseToken(token), token)
    assert.equal(parseToken(`${'A'.repeat(39)}-_z9`), `${'A'.repeat(39)}-_z9`)
  })

  it('is none of any other length', () => {
    for (let length = 0; length <= 200; length++) {
      assert.equal(parseToken('A'.repeat(length)) !== undefined, length === 43, `${length}`)
    }
  })

  it('is none with any other character anywhere', () => {
    for (let code = 0; code < 0x180; code++) {
      const character = String.fromCharCode(code)
      const allowed = /[A-Za-z0-9_-]/.test(character)
      for (const at of [0, 21, 42]) {
        const text = token.slice(0, at) + character + token.slice(at + 1)
        assert.equal(parseToken(text) !== undefined, allowed, `${code} at ${at}`)
      }
    }
    for (const text of [
      `${token}\n`,
      `\n${token}`,
      `${token} `,
      `"${token}"`,
      `${token}=`,
      `${token}\n${token}`,
    ]) {
      assert.equal(parseToken(text), undefined, JSON.stringify(text))
    }
  })
})

describe('the hash of a token (SEC-SES-2)', () => {
  it('is its SHA-256, from which the token cannot be read', () => {
    assert.equal(hashToken('abc' as Token), 'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0')
    const any = newToken()
    assert.equal(hashToken(any), createHash('sha256').update(any).digest('base64url'))
    assert.notEqual(hashToken(any), any)
  })

  it('is another for every other token, also for one that decodes to the same bytes', () => {
    const spellings = ['A', 'B', 'C', 'D'].map((last) => `${token.slice(1)}${last}` as Token)
    assert.equal(new Set(spellings.map((text) => Buffer.from(text, 'base64url').toString('hex'))).size, 1)
    assert.equal(new Set(spellings.map(hashToken)).size, 4)
  })
})
