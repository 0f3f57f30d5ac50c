import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { newId } from '../../src/crypto/random.ts'
import * as auditLog from '../../src/store/audit-log.ts'
import * as invitations from '../../src/store/invitations.ts'
import * as resetRequests from '../../src/store/reset-requests.ts'
import * as sessions from '../../src/store/sessions.ts'
import * as users from '../../src/store/users.ts'
import { overview } from '../../src/store/views/overview.ts'
import { listThrottledCandidates } from '../../src/store/views/throttled-candidates.ts'
import { aTokenHash, makeSession, makeUser, NOW } from './people.ts'
import type { Opened } from './store.ts'

/** Invitations, requests for a reset, and what administration looks at. */
export function invitationContract(open: Opened): void {
  const times = { now: NOW, expiresAt: NOW + 600 }

  describe('invitations', () => {
    it('are found by their token while they last, and are used once', async () => {
      const db = open()
      const userId = await makeUser(db)
      const tokenHash = aTokenHash()
      await invitations.replace(db, { kind: 'invite', userId, tokenHash }, times)
      assert.deepEqual(await invitations.findByToken(db, tokenHash, NOW), { kind: 'invite', userId })
      assert.deepEqual(await invitations.findByToken(db, tokenHash, NOW + 599), { kind: 'invite', userId })
      assert.equal(await invitations.findByToken(db, tokenHash, NOW + 600), undefined)
      assert.equal(await invitations.findByToken(db, tokenHash, NOW - 11), undefined)
      assert.equal(await invitations.findByToken(db, aTokenHash(), NOW), undefined)
      assert.equal(await invitations.findEnd(db, userId, NOW), NOW + 600)
      assert.equal(await invitations.take(db, tokenHash, NOW + 600), false)
      const taken = await Promise.all([
        invitations.take(db, tokenHash, NOW),
        invitations.take(db, tokenHash, NOW),
      ])
      assert.deepEqual(taken.toSorted(), [false, true])
    })

    it('are one a user, and one for the setup', async () => {
      const db = open()
      const [one, other] = [await makeUser(db), await makeUser(db)]
      const [first, second, theirs] = [aTokenHash(), aTokenHash(), aTokenHash()]
      const [setup, newer] = [aTokenHash(), aTokenHash()]
      await invitations.replace(db, { kind: 'invite', userId: other, tokenHash: theirs }, times)
      await invitations.replace(db, { kind: 'invite', userId: one, tokenHash: first }, times)
      await invitations.replace(db, { kind: 'invite', userId: one, tokenHash: second }, times)
      await invitations.replace(db, { kind: 'setup', tokenHash: setup }, times)
      await invitations.replace(db, { kind: 'setup', tokenHash: newer }, times)
      assert.equal(await invitations.findByToken(db, first, NOW), undefined)
      assert.deepEqual(await invitations.findByToken(db, second, NOW), { kind: 'invite', userId: one })
      assert.deepEqual(await invitations.findByToken(db, theirs, NOW), { kind: 'invite', userId: other })
      assert.equal(await invitations.findByToken(db, setup, NOW), undefined)
      assert.deepEqual(await invitations.findByToken(db, newer, NOW), { kind: 'setup' })
      await invitations.removeOf(db, one)
      assert.equal(await invitations.findByToken(db, second, NOW), undefined)
      await users.remove(db, other)
      assert.equal(await invitations.findByToken(db, theirs, NOW), undefined)
    })
  })

  describe('requests for a reset', () => {
    it('are one a user, last until they end, and are taken once', async () => {
      const db = open()
      const [userId, requestedBy] = [await makeUser(db), await makeUser(db)]
      const request = { userId, requestedBy, requestedAt: NOW, expiresAt: NOW + 10 }
      await resetRequests.put(db, { ...request, requestedBy: userId })
      await resetRequests.put(db, request)
      assert.deepEqual(await resetRequests.find(db, userId, NOW + 9), request)
      assert.equal(await resetRequests.find(db, userId, NOW + 10), undefined)
      assert.equal(await resetRequests.take(db, userId), true)
      assert.equal(await resetRequests.take(db, userId), false)
      await resetRequests.put(db, request)
      await users.remove(db, userId)
      assert.equal(await resetRequests.find(db, userId, NOW), undefined)
    })
  })

  describe('the use of a session for administration', () => {
    it('is written down while the session is there', async () => {
      const db = open()
      const userId = await makeUser(db)
      const { id } = await makeSession(db, userId)
      assert.equal(await sessions.findAdminSeen(db, id), 0)
      assert.equal(await sessions.touchAdmin(db, id, NOW), true)
      assert.equal(await sessions.findAdminSeen(db, id), NOW)
      assert.equal(await sessions.findOwner(db, id), userId)
      await sessions.removeAll(db, userId)
      assert.equal(await sessions.touchAdmin(db, id, NOW), false)
      assert.equal(await sessions.findAdminSeen(db, id), undefined)
      assert.equal(await sessions.findOwner(db, id), undefined)
    })
  })

  describe('the overview', () => {
    it('counts what happened on each day of UTC, and users and sessions as they stand', async () => {
      const db = open()
      const rules = { idleTimeout: 3600, absoluteLifetime: 43_200, freshFor: 300 }
      // A time of its own, for other tests write to the same log.
      const now = NOW + 1000 * 86_400
      const midnight = now - (now % 86_400)
      const user = {
        actor: { kind: 'system' },
        address: undefined,
        userAgent: undefined,
        requestId: undefined,
      } as const
      const userId = await makeUser(db)
      const append = (at: number) =>
        auditLog.append(db, {
          ...user,
          userId,
          event: 'throttled',
          budget: 'code',
          wait: 30,
          id: newId(),
          at,
        })
      for (const at of [midnight - 1, midnight, now]) await append(at)
      await auditLog.append(db, {
        ...user,
        userId,
        event: 'signed-in',
        amr: ['pwd'],
        sessionId: '',
        id: newId(),
        at: now,
      })
      const before = await overview(db, { now, rules })
      assert.equal(before.days.length, 30)
      assert.deepEqual(before.days.at(-1), {
        ...{
          start: midnight,
          signedIn: 1,
          passwordsRefused: 0,
          codesRefused: 0,
          throttled: 2,
          enrolments: 0,
        },
      })
      assert.equal(before.days.at(-2)?.throttled, 1)
      assert.equal(before.days.at(-3)?.throttled, 0)
      await makeSession(db, userId, { lastSeenAt: now - 10, expiresAt: now + 10 })
      await makeSession(db, userId, { lastSeenAt: now - 3600, expiresAt: now + 10 })
      await makeSession(db, userId, { lastSeenAt: now, expiresAt: now })
      await makeUser(db)
      const after = await overview(db, { now, rules })
      assert.equal(after.sessions - before.sessions, 1)
      assert.equal(after.users.total - before.users.total, 1)
      const throttled = await listThrottledCandidates(db, midnight)
      assert.deepEqual(
        throttled.map(({ id }) => id),
        [userId],
      )
    })
  })
}
