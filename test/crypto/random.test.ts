import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { entropy, newId, newToken } from '../../src/crypto/random.ts'
import { parseToken } from '../../src/domain/token.ts'

/** Each test begins later than the one before ended: the time in an identifier never goes back. */
const start = Date.UTC(2026, 0, 1)

function assertRising(ids: readonly string[]): void {
  for (const [index, id] of ids.entries()) {
    assert.match(id, /^[0-9a-v]{26}$/)
    const before = ids[index - 1]
    if (before !== undefined && before >= id) assert.fail(`${index}: ${before} is not before ${id}`)
  }
}

describe('an identifier', () => {
  it('comes after all before it, over 100,000 made within one millisecond', () => {
    assertRising(Array.from({ length: 100_000 }, () => newId(start)))
  })

  it('comes after all before it, over 100,000 made as the clock runs', () => {
    assertRising(Array.from({ length: 100_000 }, () => newId()))
  })

  it('comes after all before it, over 100,000 made while the clock was set back an hour', () => {
    const later = Date.UTC(2100, 0, 1)
    assertRising([
      ...Array.from({ length: 10 }, (_, i) => newId(later + i)),
      ...Array.from({ length: 100_000 }, (_, i) => newId(later - 3_600_000 + Math.floor(i / 10))),
      ...Array.from({ length: 10 }, (_, i) => newId(later + 1000 + i)),
    ])
  })

  it('comes after all before it when the clock jumps to and fro', () => {
    const later = Date.UTC(2200, 0, 1)
    assertRising(Array.from({ length: 100_000 }, (_, i) => newId(later + ((i * 7919) % 10_007) - 5000)))
  })

  it('sorts by the time it was made at', () => {
    const later = Date.UTC(2300, 0, 1)
    const ids = [0, 1, 2, 1000, 86_400_000, 10 * 365 * 86_400_000].map((ms) => newId(later + ms))
    assertRising(ids)
    const milliseconds = ids.map(
      (id) => [...id].reduce((sum, c) => sum * 32n + BigInt(Number.parseInt(c, 32)), 0n) >> 80n,
    )
    assert.equal(milliseconds[0], BigInt(later))
    assert.equal(milliseconds[4], BigInt(later + 86_400_000))
  })

  it('carries 64 random bits, so that two servers never make the same one', () => {
    const tails = new Set(Array.from({ length: 100_000 }, () => newId().slice(-12)))
    assert.equal(tails.size, 100_000)
  })
})

describe('a token (SEC-SES-2)', () => {
  it('is 43 characters of base64url, and one that a browser may send back', () => {
    for (let i = 0; i < 1000; i++) {
      const token = newToken()
      assert.match(token, /^[A-Za-z0-9_-]{43}$/)
      assert.equal(Buffer.from(token, 'base64url').length, 32)
      assert.equal(parseToken(token), token)
    }
  })

  it('does not come twice in 100,000 (SEC-CRY-3)', () => {
    assert.equal(new Set(Array.from({ length: 100_000 }, newToken)).size, 100_000)
  })

  it('has every bit set in some and clear in others (SEC-CRY-3)', () => {
    const ever = Buffer.alloc(32)
    const always = Buffer.alloc(32, 255)
    for (let i = 0; i < 1000; i++) {
      for (const [at, byte] of Buffer.from(newToken(), 'base64url').entries()) {
        ever[at] = (ever[at] ?? 0) | byte
        always[at] = (always[at] ?? 0) & byte
      }
    }
    assert.deepEqual(ever, Buffer.alloc(32, 255))
    assert.deepEqual(always, Buffer.alloc(32))
  })
})

describe('entropy', () => {
  it('has the length asked for and is different each time', () => {
    for (const length of [0, 1, 10, 16, 20, 32, 64]) assert.equal(entropy(length).length, length)
    assert.notDeepEqual(entropy(16), entropy(16))
  })
})
