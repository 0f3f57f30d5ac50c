import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, rmSync, writeFileSync } from 'node:fs'
import { describe, it, type TestContext } from 'node:test'
import fc from 'fast-check'
import { addKey, createKeyFile, KeyFileError, readKeyFile, removeKeys } from '../../src/crypto/key-file.ts'
import { createSealer, type SealContext, SealError } from '../../src/crypto/sealer.ts'
import { newKeyPath } from './key-folder.ts'

const alice: SealContext = { purpose: 'otp-key', userId: 'alice', deviceId: 'phone' }
const secret = Buffer.from('a secret of 20 bytes')

const newSealer = (t: TestContext) => createSealer(createKeyFile(newKeyPath(t)))

/** Lengths that leave unused bits in the last character of the text, and lengths that leave none. */
const secretsOfEachShape = [0, 1, 2, 3, 20, 32, 64].map((length) => Buffer.alloc(length, 7))

describe('a sealed secret', () => {
  it('opens where it belongs, whatever it is', (t) => {
    const sealer = newSealer(t)
    const anySecret = fc.uint8Array({ maxLength: 200 })
    fc.assert(
      fc.property(anySecret, fc.string(), fc.string(), (bytes, userId, deviceId) => {
        const context = { purpose: 'otp-key', userId, deviceId } as const
        const sealed = sealer.seal(bytes, context)
        assert.deepEqual(Buffer.from(sealer.open(sealed, context)), Buffer.from(bytes))
        assert.equal(sealer.opens(sealed, context), true)
      }),
      { numRuns: 500 },
    )
  })

  it('does not open for another user, another device or another row (SEC-OTP-9)', (t) => {
    const sealer = newSealer(t)
    const contexts = ['alice', 'bob'].flatMap((userId) =>
      ['phone', 'tablet'].map((deviceId) => ({ purpose: 'otp-key', userId, deviceId }) as const),
    )
    const rows = contexts.map((context) => ({ context, sealed: sealer.seal(secret, context) }))
    for (const { sealed, context: owner } of rows) {
      for (const context of contexts) {
        assert.equal(sealer.opens(sealed, context), context === owner, JSON.stringify([owner, context]))
      }
    }
  })

  it('does not open where user and device only read the same side by side (SEC-OTP-9)', (t) => {
    const sealer = newSealer(t)
    const pairs = [
      ['ab', 'c'],
      ['a', 'bc'],
      ['', 'abc'],
      ['abc', ''],
      ['a","b', 'c'],
      ['a', 'b","c'],
      ['c', 'ab'],
    ] as const
    for (const [userId, deviceId] of pairs) {
      const sealed = sealer.seal(secret, { purpose: 'otp-key', userId, deviceId })
      for (const [otherUser, otherDevice] of pairs) {
        const context = { purpose: 'otp-key', userId: otherUser, deviceId: otherDevice } as const
        assert.equal(sealer.opens(sealed, context), userId === otherUser && deviceId === otherDevice)
      }
    }
  })

  it('does not open when two ciphertexts under one name have their parts exchanged', (t) => {
    const sealer = newSealer(t)
    const [one = '', two = ''] = [secret, Buffer.from('another of 20 bytes!')].map((bytes) =>
      Buffer.from(sealer.seal(bytes, alice).split('.')[2] ?? '', 'base64url').toString('hex'),
    )
    const prefix = `v1.${sealer.currentKeyId()}.`
    const text = (hex: string) => prefix + Buffer.from(hex, 'hex').toString('base64url')
    assert.equal(sealer.opens(text(one), alice), true)
    for (const boundary of [24, one.length - 32]) {
      assert.equal(sealer.opens(text(one.slice(0, boundary) + two.slice(boundary)), alice), false)
    }
  })

  it('does not open with any single bit of its text flipped (SEC-CRY-5)', (t) => {
    const sealer = newSealer(t)
    for (const bytes of secretsOfEachShape) {
      const sealed = sealer.seal(bytes, alice)
      for (let at = 0; at < sealed.length; at++) {
        for (let bit = 0; bit < 8; bit++) {
          const flipped = String.fromCharCode(sealed.charCodeAt(at) ^ (1 << bit))
          const changed = sealed.slice(0, at) + flipped + sealed.slice(at + 1)
          assert.equal(sealer.opens(changed, alice), false, `bit ${bit} of character ${at}: ${changed}`)
        }
      }
    }
  })

  it('does not open with any single bit of nonce, text or tag flipped (SEC-CRY-5)', (t) => {
    const sealer = newSealer(t)
    const sealed = sealer.seal(secret, alice)
    const bytes = Buffer.from(sealed.split('.')[2] ?? '', 'base64url')
    assert.equal(bytes.length, 12 + 20 + 16)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const text = `v1.${sealer.keyIdOf(sealed)}.${changed.toString('base64url')}`
      assert.throws(() => sealer.open(text, alice), SealError)
    }
  })

  it('does not open cut short at either end, or with anything added', (t) => {
    const sealer = newSealer(t)
    const sealed = sealer.seal(secret, alice)
    for (let length = 0; length < sealed.length; length++) {
      assert.equal(sealer.opens(sealed.slice(0, length), alice), false, `first ${length}`)
      assert.equal(sealer.opens(sealed.slice(sealed.length - length), alice), false, `last ${length}`)
    }
    for (const more of ['=', '==', ' ', '\n', '.', 'A', 'AAAA', '.A', `.${sealed}`, sealed]) {
      assert.equal(sealer.opens(sealed + more, alice), false, JSON.stringify(more))
      assert.equal(sealer.opens(more + sealed, alice), false, JSON.stringify(more))
    }
    for (const text of ['', 'v1', 'v1.', 'v1..', `v1.${sealer.currentKeyId()}.`, 'v2.a.b', '\0']) {
      assert.throws(() => sealer.open(text, alice), SealError, text)
    }
  })

  it('says the same of every change, and nothing of what was sealed (SEC-CRY-5)', (t) => {
    const sealer = newSealer(t)
    const sealed = sealer.seal(secret, alice)
    const changes = [sealed.replace(/.{6}$/, 'AAAAAA'), sealer.seal(secret, { ...alice, userId: 'bob' })]
    const messages = changes.map((text) => {
      try {
        return sealer.open(text, alice).toString()
      } catch (error) {
        assert.ok(error instanceof SealError)
        return error.message
      }
    })
    assert.deepEqual(messages, Array(2).fill('A sealed value was changed or belongs elsewhere.'))
  })

  it('is never the same text twice, so nobody sees that two secrets are equal (SEC-CRY-2)', (t) => {
    const sealer = newSealer(t)
    const nonces = new Set<string>()
    for (let i = 0; i < 10_000; i++) {
      const [, , text = ''] = sealer.seal(secret, alice).split('.')
      nonces.add(text.slice(0, 16))
    }
    assert.equal(nonces.size, 10_000)
  })
})

describe('the key of a sealed secret', () => {
  it('is named in it, and a key that is not there is named in the refusal', (t) => {
    const sealer = newSealer(t)
    const sealed = sealer.seal(secret, alice)
    assert.equal(sealer.keyIdOf(sealed), sealer.currentKeyId())
    const foreign = newSealer(t).seal(secret, alice)
    assert.throws(() => sealer.open(foreign, alice), {
      name: 'SealError',
      message: new RegExp(`^The key ${sealer.keyIdOf(foreign)} .* is not in the key file`),
    })
    assert.equal(sealer.opens(foreign, alice), false)
  })

  it('cannot be exchanged for another key of the file', (t) => {
    const path = newKeyPath(t)
    const first = createKeyFile(path)
    const sealer = createSealer(addKey(first))
    const sealed = sealer.seal(secret, alice)
    const relabelled = sealed.replace(sealer.currentKeyId(), first.currentKeyId)
    assert.notEqual(relabelled, sealed)
    assert.equal(sealer.opens(sealed, alice), true)
    assert.equal(sealer.opens(relabelled, alice), false)
  })

  it('cannot be called by another name, even where that name stands for the same bytes', (t) => {
    const path = newKeyPath(t)
    const key = Buffer.alloc(32, 1).toString('base64')
    const json = { format: 'watchword-keys-1', current: 'a', keys: { a: key, b: key }, name_key: key }
    writeFileSync(path, JSON.stringify(json), { mode: 0o600 })
    const sealer = createSealer(readKeyFile(path) ?? assert.fail())
    const sealed = sealer.seal(secret, alice)
    assert.equal(sealer.opens(sealed, alice), true)
    assert.equal(sealer.opens(sealed.replace('v1.a.', 'v1.b.'), alice), false)
  })

  it('is a new one as soon as the file was rotated beside a running server (SEC-CRY-1)', (t) => {
    const path = newKeyPath(t)
    const first = createKeyFile(path)
    const sealer = createSealer(first)
    const old = sealer.seal(secret, alice)
    const second = addKey(first)
    assert.equal(sealer.currentKeyId(), second.currentKeyId)
    assert.equal(sealer.keyIdOf(sealer.seal(secret, alice)), second.currentKeyId)
    assert.deepEqual(sealer.open(old, alice), secret)
    const third = addKey(second)
    assert.equal(sealer.keyIdOf(sealer.seal(secret, alice)), third.currentKeyId)
  })

  it('is found by a running server that must open what another process sealed with a newer one', (t) => {
    const path = newKeyPath(t)
    const first = createKeyFile(path)
    const running = createSealer(first)
    running.seal(secret, alice)
    const sealed = createSealer(addKey(first)).seal(secret, alice)
    assert.deepEqual(running.open(sealed, alice), secret)
  })

  it('opens nothing any more once it was removed and the server noticed', (t) => {
    const path = newKeyPath(t)
    const first = createKeyFile(path)
    const sealer = createSealer(first)
    const old = sealer.seal(secret, alice)
    removeKeys(addKey(first), [first.currentKeyId])
    sealer.currentKeyId()
    assert.throws(() => sealer.open(old, alice), SealError)
  })

  it('is kept in memory while the file is away', (t) => {
    const path = newKeyPath(t)
    const sealer = createSealer(createKeyFile(path))
    const sealed = sealer.seal(secret, alice)
    rmSync(path)
    assert.deepEqual(sealer.open(sealed, alice), secret)
    assert.equal(sealer.opens(sealer.seal(secret, alice), alice), true)
  })

  it('is not looked for in a file that became damaged or readable by others; that is no matter of the value', (t) => {
    const path = newKeyPath(t)
    const sealer = createSealer(createKeyFile(path))
    const sealed = sealer.seal(secret, alice)
    const foreign = newSealer(t).seal(secret, alice)
    copyFileSync(path, `${path}.backup`)
    writeFileSync(path, '{}')
    assert.throws(() => sealer.seal(secret, alice), KeyFileError)
    assert.throws(() => sealer.opens(foreign, alice), KeyFileError)
    assert.deepEqual(sealer.open(sealed, alice), secret)
    copyFileSync(`${path}.backup`, path)
    chmodSync(path, 0o644)
    assert.throws(() => sealer.seal(secret, alice), KeyFileError)
  })
})

describe('the keyed hash of a name (SEC-LOG-3)', () => {
  it('stays the same through a rotation and a restart, because counters are found by it', (t) => {
    const path = newKeyPath(t)
    const first = createKeyFile(path)
    const sealer = createSealer(first)
    const hash = sealer.hashName('alice')
    addKey(first)
    sealer.seal(secret, alice)
    assert.equal(sealer.hashName('alice'), hash)
    const again = readKeyFile(path)
    assert.ok(again)
    assert.equal(createSealer(again).hashName('alice'), hash)
  })

  it('differs for other names and under other keys, and does not hold the name', (t) => {
    const sealer = newSealer(t)
    assert.match(sealer.hashName('alice'), /^[A-Za-z0-9_-]{43}$/)
    assert.notEqual(sealer.hashName('alice'), sealer.hashName('alicf'))
    assert.notEqual(sealer.hashName('alice'), newSealer(t).hashName('alice'))
  })
})
