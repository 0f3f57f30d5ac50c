import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { newId } from '../../src/crypto/random.ts'
import { type AppPassword, appSecretFrom, hashAppSecret } from '../../src/domain/app-password.ts'
import type { UserId } from '../../src/domain/user.ts'
import * as appPasswords from '../../src/store/app-passwords.ts'
import * as groups from '../../src/store/groups.ts'
import * as users from '../../src/store/users.ts'
import { everyKindOfText, makeUser, NOW } from './people.ts'
import type { Opened } from './store.ts'

export const anAppPassword = (
  userId: UserId,
  more: Partial<AppPassword> = {},
): Parameters<typeof appPasswords.insert>[1] => ({
  id: newId(),
  userId,
  secretHash: hashAppSecret(appSecretFrom(crypto.getRandomValues(new Uint8Array(16)))),
  name: 'git',
  policies: ['two-factor'],
  createdAt: NOW,
  expiresAt: NOW + 86_400,
  ...more,
})

/** app-passwords. */
export function appPasswordContract(open: Opened): void {
  describe('app passwords', () => {
    it('are found by their secret, with their user and the groups, as they are now', async () => {
      const db = open()
      const userId = await makeUser(db, undefined, { displayName: 'Alice' })
      const made = anAppPassword(userId, { policies: ['svn', 'group-a'], expiresAt: undefined })
      await appPasswords.insert(db, made)
      const found = await appPasswords.findBySecret(db, made.secretHash)
      const { secretHash: _, ...rest } = made
      assert.deepEqual(found?.appPassword, { ...rest, lastUsedAt: undefined, lastUsedAddress: undefined })
      assert.deepEqual(
        [found?.user.id, found?.user.displayName, found?.user.disabled, found?.groups],
        [userId, 'Alice', false, []],
      )
      const names = [`b-${newId()}`, `a-${newId()}`]
      for (const name of names) {
        await groups.insert(db, name, NOW)
        await groups.addMember(db, name, userId)
      }
      await users.setDisabled(db, userId, NOW)
      const later = await appPasswords.findBySecret(db, made.secretHash)
      assert.deepEqual([later?.groups, later?.user.disabled], [names.toSorted(), true])
      assert.equal(await appPasswords.findBySecret(db, anAppPassword(userId).secretHash), undefined)
    })

    it('are listed oldest first, each user’s own, with every kind of text as it was', async () => {
      const db = open()
      const [userId, other] = [await makeUser(db), await makeUser(db)]
      const made = everyKindOfText.map((name) => anAppPassword(userId, { name }))
      for (const each of made.toReversed()) await appPasswords.insert(db, each)
      await appPasswords.insert(db, anAppPassword(other))
      const listed = await appPasswords.listOf(db, userId)
      assert.deepEqual(
        listed.map(({ name }) => name),
        everyKindOfText,
      )
      assert.equal(await appPasswords.count(db, userId), everyKindOfText.length)
      assert.equal(await appPasswords.findOwner(db, made[0]?.id ?? ''), userId)
      assert.equal(await appPasswords.findOwner(db, newId()), undefined)
    })

    it('have one owner a secret', async () => {
      const db = open()
      const made = anAppPassword(await makeUser(db))
      await appPasswords.insert(db, made)
      await assert.rejects(appPasswords.insert(db, { ...made, id: newId(), userId: await makeUser(db) }))
    })

    it('keep when and from where they were used, once in a while', async () => {
      const db = open()
      const userId = await makeUser(db)
      const made = anAppPassword(userId)
      await appPasswords.insert(db, made)
      const use = async (now: number, address: string) => {
        await appPasswords.touch(db, made.id, { now, address, before: now - 60 })
        const [owned] = await appPasswords.listOf(db, userId)
        return [owned?.lastUsedAt, owned?.lastUsedAddress]
      }
      assert.deepEqual(await use(NOW, '192.0.2.1'), [NOW, '192.0.2.1'])
      assert.deepEqual(await use(NOW + 59, '192.0.2.2'), [NOW, '192.0.2.1'])
      assert.deepEqual(await use(NOW + 60, '2001:db8::1'), [NOW + 60, '2001:db8::1'])
      // A clock that went back.
      assert.deepEqual(await use(NOW, '192.0.2.3'), [NOW, '192.0.2.3'])
    })

    it('are revoked by their owner’s word, once (SEC-AZ-2)', async () => {
      const db = open()
      const [userId, other] = [await makeUser(db), await makeUser(db)]
      const made = anAppPassword(userId, { name: 'laptop' })
      await appPasswords.insert(db, made)
      assert.equal(await appPasswords.remove(db, other, made.id), undefined)
      const revoked = await Promise.all(
        Array.from({ length: 8 }, () => appPasswords.remove(db, userId, made.id)),
      )
      assert.deepEqual(revoked.filter(Boolean), ['laptop'])
      assert.equal(await appPasswords.findBySecret(db, made.secretHash), undefined)
    })

    it('go all at once, and with their user (SEC-SES-8)', async () => {
      const db = open()
      const [userId, other] = [await makeUser(db), await makeUser(db)]
      for (const id of [userId, userId, other]) await appPasswords.insert(db, anAppPassword(id))
      await appPasswords.removeAll(db, userId)
      assert.deepEqual([await appPasswords.count(db, userId), await appPasswords.count(db, other)], [0, 1])
      await users.remove(db, other)
      assert.equal(await appPasswords.count(db, other), 0)
    })
  })
}
