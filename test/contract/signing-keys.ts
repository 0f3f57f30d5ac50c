import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { newId } from '../../src/crypto/random.ts'
import type { SigningKey } from '../../src/domain/assertion.ts'
import * as signingKeys from '../../src/store/signing-keys.ts'
import { keysInUse } from '../../src/store/views/keys-in-use.ts'
import { NOW } from './people.ts'
import type { Opened } from './store.ts'

const aKey = (generation: number, more: Partial<SigningKey> = {}): SigningKey => ({
  id: newId(),
  generation,
  publicKey: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
  sealedKey: `v1.0badcafe.${newId()}`,
  createdAt: NOW,
  usedFrom: NOW + generation,
  ...more,
})

/** signing-keys. */
export function signingKeyContract(open: Opened): void {
  describe('keys of assertions', () => {
    it('come back whole, in the order of generations, and go from the oldest on', async () => {
      const db = open()
      assert.equal(await signingKeys.exist(db), false)
      const [first, second, third] = [aKey(1), aKey(2), aKey(3)]
      for (const key of [second, first, third]) assert.equal(await signingKeys.insert(db, key), true)
      assert.deepEqual(await signingKeys.list(db), [first, second, third])
      assert.equal(await signingKeys.exist(db), true)
      assert.equal(await signingKeys.removeBefore(db, 3), 2)
      assert.equal(await signingKeys.removeBefore(db, 3), 0)
      assert.deepEqual(await signingKeys.list(db), [third])
      await signingKeys.removeBefore(db, 4)
    })

    it('are one a generation, whoever is first', async () => {
      const db = open()
      const keys = Array.from({ length: 8 }, () => aKey(1))
      const won = await Promise.all(keys.map((key) => signingKeys.insert(db, key)))
      assert.deepEqual(
        await signingKeys.list(db),
        keys.filter((_, at) => won[at]),
      )
      assert.equal(won.filter(Boolean).length, 1)
      await signingKeys.removeBefore(db, 2)
    })

    it('are sealed anew only as they were seen, and count as a use of the key that sealed them', async () => {
      const db = open()
      const key = aKey(1, { sealedKey: 'v1.5ea1ed01.a' })
      await signingKeys.insert(db, key)
      assert.deepEqual(await keysInUse(db, ['5ea1ed01', '5ea1ed02']), ['5ea1ed01'])
      assert.equal(await signingKeys.reseal(db, key.id, 'v1.5ea1ed01.b', 'v1.5ea1ed02.a'), false)
      assert.equal(await signingKeys.reseal(db, key.id, key.sealedKey, 'v1.5ea1ed02.a'), true)
      assert.deepEqual(await keysInUse(db, ['5ea1ed01', '5ea1ed02']), ['5ea1ed02'])
      await signingKeys.removeBefore(db, 2)
    })
  })
}
