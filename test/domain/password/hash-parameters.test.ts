import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { hashParametersOf, needsRehash } from '../../../src/domain/password/hash-parameters.ts'

const salt = 'bgZSl/JOSeuW50lIHV1hKw'
const digest = 'A2eW2TigpAdfPOt53n+b+oy5fi08jvlwyqfMY2FS5DA'
const stored = (cost: string) => `$argon2id$v=19$${cost}$${salt}$${digest}`
const wanted = { memoryKib: 19_456, passes: 2, parallelism: 1 }

describe('the cost of a stored hash (SEC-PW-11)', () => {
  it('is read as it was written', () => {
    assert.deepEqual(hashParametersOf(stored('m=19456,t=2,p=1')), wanted)
    const part = fc.integer({ min: 1, max: 2 ** 32 - 1 })
    fc.assert(
      fc.property(part, part, fc.integer({ min: 1, max: 255 }), (memoryKib, passes, parallelism) => {
        const cost = { memoryKib, passes, parallelism }
        assert.deepEqual(hashParametersOf(stored(`m=${memoryKib},t=${passes},p=${parallelism}`)), cost)
      }),
    )
  })

  const good = stored('m=19456,t=2,p=1')
  const unreadable = {
    nothing: '',
    'plain text': 'secret',
    bcrypt: '$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW',
    argon2i: good.replace('argon2id', 'argon2i'),
    argon2d: good.replace('argon2id', 'argon2d'),
    'an older version': good.replace('v=19', 'v=16'),
    'no version': good.replace('v=19$', ''),
    'no memory': stored('t=2,p=1'),
    'another order': stored('t=2,m=19456,p=1'),
    'a negative number': stored('m=-19456,t=2,p=1'),
    'a fraction': stored('m=19456,t=2.5,p=1'),
    'a number without end': stored(`m=${'9'.repeat(400)},t=2,p=1`),
    'a digit of another script': stored('m=１９４５６,t=2,p=1'),
    'a hexadecimal number': stored('m=0x10,t=2,p=1'),
    'a key beside': stored('m=19456,t=2,p=1,keyid=abc'),
    'no salt': `$argon2id$v=19$m=19456,t=2,p=1$$${digest}`,
    'no digest': `$argon2id$v=19$m=19456,t=2,p=1$${salt}$`,
    'a short digest': `$argon2id$v=19$m=19456,t=2,p=1$${salt}$AAAA`,
    'a digest of other letters': good.replace('A2eW', '-_eW'),
    'something before': ` ${good}`,
    'something after': `${good}$`,
    'a line end after': `${good}\n`,
  }
  for (const [what, text] of Object.entries(unreadable)) {
    it(`is not read from ${what}`, () => {
      assert.equal(hashParametersOf(text), undefined)
      assert.equal(needsRehash(text, wanted), true)
    })
  }
})

describe('a hash made with other parameters than are wanted now (SEC-PW-11)', () => {
  it('is made again, whether they were lower or higher, and no other is', () => {
    assert.equal(needsRehash(stored('m=19456,t=2,p=1'), wanted), false)
    for (const cost of [
      'm=19455,t=2,p=1',
      'm=19457,t=2,p=1',
      'm=19456,t=1,p=1',
      'm=19456,t=3,p=1',
      'm=19456,t=2,p=2',
      'm=47104,t=1,p=1',
    ]) {
      assert.equal(needsRehash(stored(cost), wanted), true, cost)
    }
  })
})
