import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { newId, newToken } from '../../src/crypto/random.ts'
import type { CredentialHash } from '../../src/domain/code-window.ts'
import { hashToken } from '../../src/domain/token.ts'
import type { UserId } from '../../src/domain/user.ts'
import * as codeWindows from '../../src/store/code-windows.ts'
import * as groups from '../../src/store/groups.ts'
import * as users from '../../src/store/users.ts'
import { everyKindOfText, makeUser, NOW } from './people.ts'
import type { Opened } from './store.ts'

type New = Parameters<typeof codeWindows.insert>[1]

export const aCodeWindow = (userId: UserId, more: Partial<New> = {}): New => ({
  id: newId(),
  userId,
  credentialHash: hashToken(newToken()) as string as CredentialHash,
  policy: 'dav',
  host: 'https://dav.example',
  address: '192.0.2.7',
  epoch: 1,
  createdAt: NOW,
  expiresAt: NOW + 600,
  endedAt: undefined,
  ...more,
})

/** code-windows. */
export function codeWindowContract(open: Opened): void {
  describe('windows of a password and code', () => {
    it('are found by their credential, with their user and the groups, as they are now', async () => {
      const db = open()
      const userId = await makeUser(db, undefined, { displayName: 'Alice' })
      const made = aCodeWindow(userId)
      await codeWindows.insert(db, made)
      const { credentialHash, ...window } = made
      const found = await codeWindows.findByCredential(db, credentialHash)
      assert.deepEqual(found?.window, { ...window, lastUsedAt: NOW })
      assert.deepEqual(
        [found?.user.id, found?.user.displayName, found?.user.disabled, found?.user.epoch, found?.groups],
        [userId, 'Alice', false, 1, []],
      )
      const names = [`b-${newId()}`, `a-${newId()}`]
      for (const name of names) {
        await groups.insert(db, name, NOW)
        await groups.addMember(db, name, userId)
      }
      await users.setDisabled(db, userId, NOW)
      const later = await codeWindows.findByCredential(db, credentialHash)
      assert.deepEqual([later?.groups, later?.user.disabled], [names.toSorted(), true])
      assert.deepEqual([later?.user.epoch, later?.window.epoch], [2, 1])
      const unknown = aCodeWindow(userId).credentialHash
      assert.equal(await codeWindows.findByCredential(db, unknown), undefined)
    })

    it('are one a credential (SEC-OTP-2)', async () => {
      const db = open()
      const made = aCodeWindow(await makeUser(db))
      await codeWindows.insert(db, made)
      await assert.rejects(codeWindows.insert(db, { ...made, id: newId(), userId: await makeUser(db) }))
    })

    it('are listed oldest first while they open something, each user’s own, with every kind of text as it was', async () => {
      const db = open()
      const [userId, other] = [await makeUser(db), await makeUser(db)]
      const made = everyKindOfText.map((policy) => aCodeWindow(userId, { policy }))
      for (const each of made.toReversed()) await codeWindows.insert(db, each)
      await codeWindows.insert(db, aCodeWindow(other))
      await codeWindows.insert(db, aCodeWindow(userId, { expiresAt: NOW }))
      await codeWindows.insert(db, aCodeWindow(userId, { endedAt: NOW }))
      await codeWindows.insert(db, aCodeWindow(userId, { epoch: 2 }))
      const listed = await codeWindows.listOpen(db, userId, NOW)
      assert.deepEqual(
        listed.map(({ policy }) => policy),
        everyKindOfText,
      )
      assert.equal(await codeWindows.findOwner(db, made[0]?.id ?? ''), userId)
      assert.equal(await codeWindows.findOwner(db, newId()), undefined)
      await users.advanceEpoch(db, userId)
      assert.deepEqual(
        (await codeWindows.listOpen(db, userId, NOW)).map(({ epoch }) => epoch),
        [2],
      )
    })

    it('keep when they were used, once in a while', async () => {
      const db = open()
      const made = aCodeWindow(await makeUser(db))
      await codeWindows.insert(db, made)
      const use = async (now: number) => {
        await codeWindows.touch(db, made.id, { now, before: now - 60 })
        return (await codeWindows.findByCredential(db, made.credentialHash))?.window.lastUsedAt
      }
      assert.equal(await use(NOW + 59), NOW)
      assert.equal(await use(NOW + 60), NOW + 60)
      // A clock that went back.
      assert.equal(await use(NOW), NOW)
    })

    it('are ended by their owner’s word, once, and remembered (SEC-AZ-2)', async () => {
      const db = open()
      const [userId, other] = [await makeUser(db), await makeUser(db)]
      const made = aCodeWindow(userId, { policy: 'svn' })
      const over = aCodeWindow(userId, { expiresAt: NOW })
      for (const each of [made, over]) await codeWindows.insert(db, each)
      const end = (id: string, whose = userId) => codeWindows.end(db, whose, { id, now: NOW })
      assert.equal(await end(made.id, other), undefined)
      assert.equal(await end(over.id), undefined)
      const ended = await Promise.all(Array.from({ length: 8 }, () => end(made.id)))
      assert.deepEqual(ended.filter(Boolean), ['svn'])
      const found = await codeWindows.findByCredential(db, made.credentialHash)
      assert.equal(found?.window.endedAt, NOW)
    })

    it('end all at once, or the oldest over a limit, and go with their user (SEC-SES-8)', async () => {
      const db = open()
      const [userId, other] = [await makeUser(db), await makeUser(db)]
      const made = Array.from({ length: 4 }, () => aCodeWindow(userId))
      const others = aCodeWindow(other)
      for (const each of [...made, others]) await codeWindows.insert(db, each)
      await codeWindows.endOverLimit(db, userId, { limit: 2, now: NOW })
      const left = async (id: UserId) => (await codeWindows.listOpen(db, id, NOW)).map((each) => each.id)
      assert.deepEqual(
        await left(userId),
        made.slice(2).map(({ id }) => id),
      )
      await codeWindows.endAll(db, userId, NOW)
      assert.deepEqual([await left(userId), await left(other)], [[], [others.id]])
      await users.remove(db, other)
      assert.equal(await codeWindows.findByCredential(db, others.credentialHash), undefined)
    })
  })
}
