import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { calculateJwkThumbprint, importJWK, jwtVerify } from 'jose'
import { addKey, createKeyFile } from '../../src/crypto/key-file.ts'
import { createSealer, SealError } from '../../src/crypto/sealer.ts'
import { createSigning } from '../../src/crypto/signing.ts'
import { KEYS_REMEMBERED } from '../../src/domain/assertion.ts'
import { newFolder } from './key-folder.ts'

// What is signed here is looked at with jose, which shares no line with us.
describe('signing', () => {
  const make = (folder: string) => {
    const file = createKeyFile(`${folder}/keys.json`)
    const sealer = createSealer(file)
    return { file, sealer, signing: createSigning(sealer) }
  }

  it('makes tokens that another implementation takes, under the key that it names (RFC 7515, RFC 7638)', async (t) => {
    const { signing } = make(newFolder(t))
    const key = signing.newKey()
    assert.equal(key.id, await calculateJwkThumbprint(key.publicKey))
    const claims = { iss: 'a', text: 'Zoë 漢字 😀' }
    const token = signing.sign(key, { type: 'x+jwt', claims })
    const publicKey = await importJWK(key.publicKey, 'ES256')
    const { payload, protectedHeader } = await jwtVerify(token, publicKey, { typ: 'x+jwt' })
    assert.deepEqual(payload, claims)
    assert.deepEqual(protectedHeader, { alg: 'ES256', kid: key.id, typ: 'x+jwt' })
    const other = await importJWK(signing.newKey().publicKey, 'ES256')
    await assert.rejects(jwtVerify(token, other), /signature verification failed/)
  })

  it('seals the private half, which opens in its own place alone (SEC-CRY-6, SEC-OTP-9)', (t) => {
    const { signing, sealer } = make(newFolder(t))
    const [one, two] = [signing.newKey(), signing.newKey()]
    assert.doesNotMatch(Buffer.from(one.sealedKey).toString('latin1'), /PRIVATE/)
    assert.throws(() => signing.sign({ ...one, id: two.id }, { type: 'x', claims: {} }), SealError)
    assert.equal(sealer.opens(one.sealedKey, { purpose: 'signing-key', keyId: one.id }), true)
    assert.equal(sealer.opens(one.sealedKey, { purpose: 'otp-key', userId: one.id, deviceId: '' }), false)
  })

  it('goes on with a key that was sealed anew, and with another one after that', (t) => {
    const { file, signing, sealer } = make(newFolder(t))
    const key = signing.newKey()
    addKey(file)
    const context = { purpose: 'signing-key', keyId: key.id } as const
    const anew = { ...key, sealedKey: sealer.seal(sealer.open(key.sealedKey, context), context) }
    assert.notEqual(sealer.keyIdOf(anew.sealedKey), sealer.keyIdOf(key.sealedKey))
    const another = createSigning(sealer)
    for (const each of [key, anew, signing.newKey()]) {
      for (const signs of [signing, another]) {
        assert.match(signs.sign(each, { type: 'x', claims: {} }), /^[\w-]+\.[\w-]+\.[\w-]{86}$/)
      }
    }
  })

  it('goes by the keys that were read last for half a minute, whichever way the clock goes', (t) => {
    const { signing } = make(newFolder(t))
    assert.equal(signing.remembered(1000), undefined)
    signing.remember([], 1000)
    assert.deepEqual(signing.remembered(1000 + KEYS_REMEMBERED - 1), [])
    assert.equal(signing.remembered(1000 + KEYS_REMEMBERED), undefined)
    assert.equal(signing.remembered(1000 - KEYS_REMEMBERED), undefined)
  })
})
