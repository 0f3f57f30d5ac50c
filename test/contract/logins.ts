import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { newId } from '../../src/crypto/random.ts'
import { CLOCK_SKEW } from '../../src/domain/time.ts'
import * as attempts from '../../src/store/attempts.ts'
import * as knownBrowsers from '../../src/store/known-browsers.ts'
import * as logins from '../../src/store/logins.ts'
import * as sessions from '../../src/store/sessions.ts'
import { readAttempts } from '../../src/store/views/read-attempts.ts'
import { aSession, aTokenHash, everyKindOfText, makeSession, makeUser, NOW } from './people.ts'
import type { Opened } from './store.ts'

/** logins, sessions, known-browsers and attempts. */
export function loginContract(open: Opened): void {
  describe('logins under way', () => {
    it('finds a login by its token while it lasts', async () => {
      const db = open()
      const userId = await makeUser(db)
      const login = { tokenHash: aTokenHash(), userId, amr: ['pwd', 'recovery'], epoch: 7 } as const
      await logins.insert(db, login, { now: NOW, expiresAt: NOW + 600 })
      const stored = { ...login, expiresAt: NOW + 600 }
      assert.deepEqual(await logins.findByToken(db, login.tokenHash, NOW), stored)
      assert.deepEqual(await logins.findByToken(db, login.tokenHash, NOW + 599), stored)
      assert.equal(await logins.findByToken(db, login.tokenHash, NOW + 600), undefined)
      assert.equal(await logins.findByToken(db, aTokenHash(), NOW), undefined)
    })

    it('ends a login from the future when the clock went back (FT-CLOCK-1)', async () => {
      const db = open()
      const userId = await makeUser(db)
      const login = { tokenHash: aTokenHash(), userId, amr: ['pwd'], epoch: 1 } as const
      await logins.insert(db, login, { now: NOW, expiresAt: NOW + 600 })
      // A host whose clock is a little behind still sees it.
      assert.notEqual(await logins.findByToken(db, login.tokenHash, NOW - CLOCK_SKEW), undefined)
      assert.equal(await logins.findByToken(db, login.tokenHash, NOW - CLOCK_SKEW - 1), undefined)
    })

    it('is taken once, though many finish it at once', async () => {
      const db = open()
      const userId = await makeUser(db)
      const [one, two] = [aTokenHash(), aTokenHash()]
      for (const tokenHash of [one, two]) {
        const login = { tokenHash, userId, amr: ['pwd'], epoch: 1 } as const
        await logins.insert(db, login, { now: NOW, expiresAt: NOW + 600 })
      }
      const taken = await Promise.all(Array.from({ length: 16 }, () => logins.take(db, one)))
      assert.equal(taken.filter(Boolean).length, 1)
      assert.equal((await logins.findByToken(db, two, NOW))?.userId, userId)
      await logins.removeAll(db, userId)
      assert.equal(await logins.findByToken(db, two, NOW), undefined)
    })
  })

  describe('sessions', () => {
    it('finds a session by its token, with the user as they are now', async () => {
      const db = open()
      const userId = await makeUser(db, undefined, { displayName: 'Ada' })
      const made = await makeSession(db, userId, { amr: ['pwd', 'recovery', 'otp'] })
      const { tokenHash, createdAt: _, address: __, userAgent: ___, ...session } = made
      const found = await sessions.findByToken(db, tokenHash)
      assert.deepEqual(found?.session, session)
      assert.deepEqual([found?.user.id, found?.user.displayName, found?.user.epoch], [userId, 'Ada', 1])
      await db
        .updateTable('user')
        .set({ disabled_at: NOW, has_second_factor: 1, epoch: 9 })
        .where('id', '=', userId)
        .execute()
      const later = (await sessions.findByToken(db, tokenHash))?.user
      assert.deepEqual([later?.disabled, later?.hasSecondFactor, later?.epoch], [true, true, 9])
      assert.equal(await sessions.findByToken(db, aTokenHash()), undefined)
    })

    it('finds a session inside a transaction as outside of it, and before it was committed', async () => {
      const db = open()
      const userId = await makeUser(db)
      const session = aSession(userId)
      await db.transaction().execute(async (tx) => {
        await sessions.insert(tx, session)
        assert.equal((await sessions.findByToken(tx, session.tokenHash))?.session.id, session.id)
      })
      assert.equal((await sessions.findByToken(db, session.tokenHash))?.session.id, session.id)
    })

    it('keeps every kind of text of a browser as it was', async () => {
      const db = open()
      const userId = await makeUser(db)
      for (const userAgent of everyKindOfText) {
        const { id } = await makeSession(db, userId, { userAgent })
        const kept = (await sessions.listOf(db, userId)).find((session) => session.id === id)
        assert.equal(kept?.userAgent, userAgent)
      }
    })

    it('takes a token once only', async () => {
      const db = open()
      const userId = await makeUser(db)
      const session = await makeSession(db, userId)
      await assert.rejects(sessions.insert(db, { ...aSession(userId), tokenHash: session.tokenHash }))
      assert.deepEqual(await sessions.takeByToken(db, session.tokenHash), { id: session.id, userId })
      assert.equal(await sessions.takeByToken(db, session.tokenHash), undefined)
      assert.equal(await sessions.findByToken(db, session.tokenHash), undefined)
    })

    it('lists the latest first, writes activity down, ends what is theirs (SEC-AZ-2)', async () => {
      const db = open()
      const [userId, other] = [await makeUser(db), await makeUser(db)]
      const [first, second] = [await makeSession(db, userId), await makeSession(db, userId)]
      await makeSession(db, other)
      await sessions.touch(db, first.id, NOW + 60)
      const listed = await sessions.listOf(db, userId)
      assert.deepEqual(
        listed.map(({ id, lastSeenAt }) => [id, lastSeenAt]),
        [
          [second.id, NOW],
          [first.id, NOW + 60],
        ],
      )
      assert.equal(await sessions.exists(db, first.id), true)
      assert.equal(await sessions.remove(db, other, first.id), false)
      assert.equal(await sessions.remove(db, userId, first.id), true)
      assert.equal(await sessions.remove(db, userId, first.id), false)
      assert.equal(await sessions.exists(db, first.id), false)
    })

    it('ends all but one, or all, and says how many', async () => {
      const db = open()
      const [userId, other] = [await makeUser(db), await makeUser(db)]
      const kept = await makeSession(db, userId)
      for (let count = 0; count < 3; count++) await makeSession(db, userId)
      await makeSession(db, other)
      assert.equal(await sessions.removeAll(db, userId, kept.id), 3)
      assert.deepEqual(
        (await sessions.listOf(db, userId)).map(({ id }) => id),
        [kept.id],
      )
      assert.equal(await sessions.removeAll(db, userId), 1)
      assert.equal(await sessions.removeAll(db, userId), 0)
      assert.equal((await sessions.listOf(db, other)).length, 1)
    })

    it('ends the oldest beyond the limit and tells which (SEC-SES-12)', async () => {
      const db = open()
      const [userId, other] = [await makeUser(db), await makeUser(db)]
      // The clock stood still for two of them: then the order of making decides.
      const times = [NOW + 2, NOW, NOW + 1, NOW + 1]
      const made = []
      for (const createdAt of times) made.push((await makeSession(db, userId, { createdAt })).id)
      await makeSession(db, other, { createdAt: 0 })
      assert.deepEqual(await sessions.removeOverLimit(db, userId, 4), [])
      const over = await sessions.removeOverLimit(db, userId, 2)
      assert.deepEqual(over.toSorted(), [made[1], made[2]].toSorted())
      const left = (await sessions.listOf(db, userId)).map(({ id }) => id)
      assert.deepEqual(left.toSorted(), [made[0], made[3]].toSorted())
      assert.equal((await sessions.listOf(db, other)).length, 1)
    })
  })

  describe('known browsers', () => {
    it('knows a browser for its user and until it ends', async () => {
      const db = open()
      const [userId, other] = [await makeUser(db), await makeUser(db)]
      const tokenHash = aTokenHash()
      await knownBrowsers.put(db, { tokenHash, userId }, { now: NOW, expiresAt: NOW + 10 })
      assert.equal(await knownBrowsers.isKnown(db, tokenHash, userId, NOW + 9), true)
      assert.equal(await knownBrowsers.isKnown(db, tokenHash, userId, NOW + 10), false)
      assert.equal(await knownBrowsers.isKnown(db, tokenHash, other, NOW), false)
      assert.equal(await knownBrowsers.isKnown(db, aTokenHash(), userId, NOW), false)
      await knownBrowsers.put(db, { tokenHash, userId }, { now: NOW + 5, expiresAt: NOW + 15 })
      assert.equal(await knownBrowsers.isKnown(db, tokenHash, userId, NOW + 14), true)
    })

    it('forgets all of a user but the one to keep', async () => {
      const db = open()
      const [userId, other] = [await makeUser(db), await makeUser(db)]
      const [kept, gone, theirs] = [aTokenHash(), aTokenHash(), aTokenHash()]
      const until = { now: NOW, expiresAt: NOW + 10 }
      await knownBrowsers.put(db, { tokenHash: kept, userId }, until)
      await knownBrowsers.put(db, { tokenHash: gone, userId }, until)
      await knownBrowsers.put(db, { tokenHash: theirs, userId: other }, until)
      await knownBrowsers.removeAll(db, userId, kept)
      assert.equal(await knownBrowsers.isKnown(db, kept, userId, NOW), true)
      assert.equal(await knownBrowsers.isKnown(db, gone, userId, NOW), false)
      await knownBrowsers.removeAll(db, userId)
      assert.equal(await knownBrowsers.isKnown(db, kept, userId, NOW), false)
      assert.equal(await knownBrowsers.isKnown(db, theirs, other, NOW), true)
    })

    it('keeps those that were used last when there are too many', async () => {
      const db = open()
      const [userId, other] = [await makeUser(db), await makeUser(db)]
      const browsers = [3, 1, 2, 4].map((age) => ({ tokenHash: aTokenHash(), now: NOW - age }))
      for (const { tokenHash, now } of browsers) {
        await knownBrowsers.put(db, { tokenHash, userId }, { now, expiresAt: NOW + 10 })
      }
      const theirs = aTokenHash()
      await knownBrowsers.put(db, { tokenHash: theirs, userId: other }, { now: 0, expiresAt: NOW + 10 })
      await knownBrowsers.removeOverLimit(db, userId, 4)
      await knownBrowsers.removeOverLimit(db, userId, 2)
      const known = await Promise.all(
        browsers.map(({ tokenHash }) => knownBrowsers.isKnown(db, tokenHash, userId, NOW)),
      )
      assert.deepEqual(known, [false, true, true, false])
      assert.equal(await knownBrowsers.isKnown(db, theirs, other, NOW), true)
    })
  })

  describe('attempts', () => {
    const none = { count: 0, since: 0, blockedUntil: 0 }

    it('gives what was charged under each key, and nothing charged for a new one', async () => {
      const db = open()
      const [one, two, three] = [newId(), newId(), newId()]
      const charged = { count: Number.MAX_SAFE_INTEGER, since: NOW, blockedUntil: 253_402_300_799 }
      const held = await db.transaction().execute(async (tx) => {
        assert.deepEqual(
          await attempts.hold(tx, [one, two]),
          new Map([
            [one, none],
            [two, none],
          ]),
        )
        await attempts.put(
          tx,
          new Map([
            [one, charged],
            [two, { ...none, count: 2 }],
          ]),
        )
        return attempts.hold(tx, [one, three])
      })
      assert.deepEqual(
        held,
        new Map([
          [one, charged],
          [three, none],
        ]),
      )
      assert.deepEqual(await readAttempts(db, [one, newId()]), new Map([[one, charged]]))
      await attempts.clear(db, [one, three])
      await attempts.clear(db, [])
      assert.deepEqual(await readAttempts(db, [one, two]), new Map([[two, { ...none, count: 2 }]]))
    })

    it('counts everyone, though many charge one key at once (SEC-RATE-1)', async () => {
      const db = open()
      const key = newId()
      const charge = () =>
        db.transaction().execute(async (tx) => {
          const before = (await attempts.hold(tx, [key])).get(key) ?? none
          await attempts.put(tx, new Map([[key, { ...before, count: before.count + 1 }]]))
        })
      await Promise.all(Array.from({ length: 64 }, charge))
      assert.equal((await readAttempts(db, [key])).get(key)?.count, 64)
    })

    it('takes back what a transaction charged that failed', async () => {
      const db = open()
      const [known, fresh] = [newId(), newId()]
      await attempts.put(db, new Map([[known, { ...none, count: 3 }]]))
      const failing = db.transaction().execute(async (tx) => {
        await attempts.hold(tx, [fresh, known])
        await attempts.put(
          tx,
          new Map([
            [known, { ...none, count: 4 }],
            [fresh, { ...none, count: 1 }],
          ]),
        )
        throw new Error('undo')
      })
      await assert.rejects(failing, { message: 'undo' })
      assert.deepEqual(await readAttempts(db, [known, fresh]), new Map([[known, { ...none, count: 3 }]]))
    })
  })
}
