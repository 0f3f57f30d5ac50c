import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { newId } from '../../src/crypto/random.ts'
import * as appPasswords from '../../src/store/app-passwords.ts'
import * as attempts from '../../src/store/attempts.ts'
import * as auditLog from '../../src/store/audit-log.ts'
import * as codeWindows from '../../src/store/code-windows.ts'
import type { Db } from '../../src/store/database.ts'
import { keyFingerprint, takePurge } from '../../src/store/installation.ts'
import * as invitations from '../../src/store/invitations.ts'
import * as knownBrowsers from '../../src/store/known-browsers.ts'
import * as logins from '../../src/store/logins.ts'
import { migrate } from '../../src/store/migrate.ts'
import * as otpDevices from '../../src/store/otp-devices.ts'
import * as resetRequests from '../../src/store/reset-requests.ts'
import * as sessions from '../../src/store/sessions.ts'
import * as tickets from '../../src/store/tickets.ts'
import { readAttempts } from '../../src/store/views/read-attempts.ts'
import { anAppPassword } from './app-passwords.ts'
import { aCodeWindow } from './code-windows.ts'
import { aDevice, aTokenHash, makeSession, makeUser, NOW, plain } from './people.ts'
import type { OpenEmpty } from './store.ts'

/** Every `purge…`: at the second at which something ends, not one earlier, and at most so many at a time. */
export function purgeContract(open: OpenEmpty): void {
  describe('purging', () => {
    let db: Db
    before(async () => {
      db = await open(`purge_${newId()}`)
      await migrate(db)
    })
    after(() => db.destroy())

    /** Purges by ones until nothing goes any more. */
    async function purgeAll(purge: (limit: number) => Promise<number>): Promise<number> {
      for (let count = 0; ; count++) {
        const removed = await purge(1)
        assert.ok(removed <= 1)
        if (removed === 0) return count
      }
    }

    it('is for one of those who ask within nine minutes, and for whoever asks next when a clock was ahead', async () => {
      await keyFingerprint(db, 'of a key file')
      const ask = async (now: number) => {
        const turns = await Promise.all(Array.from({ length: 5 }, () => takePurge(db, now, 540)))
        return turns.filter((isTaken) => isTaken).length
      }
      assert.equal(await ask(NOW), 1)
      assert.equal(await ask(NOW + 539), 0)
      assert.equal(await ask(NOW + 540), 1)
      assert.equal(await ask(NOW), 1)
    })

    it('removes logins that have ended', async () => {
      const userId = await makeUser(db)
      const kept = aTokenHash()
      for (const [tokenHash, expiresAt] of [
        [aTokenHash(), NOW - 1],
        [aTokenHash(), NOW],
        [kept, NOW + 1],
      ] as const) {
        await logins.insert(db, { tokenHash, userId, amr: ['pwd'], epoch: 1 }, { now: NOW - 600, expiresAt })
      }
      assert.equal(await purgeAll((limit) => logins.purge(db, NOW, limit)), 2)
      assert.equal((await logins.findByToken(db, kept, NOW))?.userId, userId)
    })

    it('removes app passwords that ended, and none without an end', async () => {
      const userId = await makeUser(db)
      const kept = [
        anAppPassword(userId, { expiresAt: NOW + 1 }),
        anAppPassword(userId, { expiresAt: undefined }),
      ]
      const over = [anAppPassword(userId, { expiresAt: NOW }), anAppPassword(userId, { expiresAt: NOW - 1 })]
      for (const each of [...kept, ...over]) await appPasswords.insert(db, each)
      assert.equal(await purgeAll((limit) => appPasswords.purge(db, NOW, limit)), 2)
      assert.deepEqual(
        (await appPasswords.listOf(db, userId)).map(({ id }) => id),
        kept.map(({ id }) => id),
      )
    })

    it('removes windows of a password and code whose time was over, ended or not', async () => {
      const userId = await makeUser(db)
      const kept = aCodeWindow(userId, { expiresAt: NOW + 1 })
      const over = [
        aCodeWindow(userId, { expiresAt: NOW }),
        aCodeWindow(userId, { expiresAt: NOW - 1, endedAt: NOW - 60 }),
      ]
      for (const each of [kept, ...over]) await codeWindows.insert(db, each)
      assert.equal(await purgeAll((limit) => codeWindows.purge(db, NOW, limit)), 2)
      assert.equal(await codeWindows.findOwner(db, kept.id), userId)
    })

    it('removes tickets that nobody took', async () => {
      const userId = await makeUser(db)
      for (const expiresAt of [NOW - 1, NOW, NOW + 1]) {
        const { id: sessionId } = await makeSession(db, userId)
        const ticket = {
          tokenHash: aTokenHash(),
          sessionId,
          host: 'https://a.example',
          stateHash: aTokenHash(),
        }
        await tickets.replace(db, { ...ticket, now: NOW - 60, expiresAt })
      }
      assert.equal(await purgeAll((limit) => tickets.purge(db, NOW, limit)), 2)
      await sessions.removeAll(db, userId)
    })

    it('removes sessions past their end', async () => {
      const userId = await makeUser(db)
      await makeSession(db, userId, { expiresAt: NOW })
      await makeSession(db, userId, { expiresAt: NOW - 1 })
      const kept = await makeSession(db, userId, { expiresAt: NOW + 1, lastSeenAt: NOW - 7200 })
      assert.equal(await purgeAll((limit) => sessions.purge(db, NOW, limit)), 2)
      assert.deepEqual(
        (await sessions.listOf(db, userId)).map(({ id }) => id),
        [kept.id],
      )
    })

    it('removes enrolments that nobody confirmed in time, and no confirmed device', async () => {
      const [late, just, early] = [await makeUser(db), await makeUser(db), await makeUser(db)]
      await otpDevices.putPending(db, aDevice(late), NOW - 1)
      await otpDevices.putPending(db, aDevice(just), NOW)
      await otpDevices.putPending(db, aDevice(early), NOW + 1)
      await otpDevices.insertConfirmed(db, aDevice(late), NOW - 600)
      assert.equal(await purgeAll((limit) => otpDevices.purgePending(db, NOW, limit)), 2)
      assert.notEqual(await otpDevices.findPending(db, early, NOW), undefined)
      assert.equal((await otpDevices.listConfirmed(db, late)).length, 1)
    })

    it('removes invitations and requests for a reset that have ended', async () => {
      const [over, just, kept] = [await makeUser(db), await makeUser(db), await makeUser(db)]
      for (const [userId, expiresAt] of [
        [over, NOW - 1],
        [just, NOW],
        [kept, NOW + 1],
      ] as const) {
        const invitation = { kind: 'invite', userId, tokenHash: aTokenHash() } as const
        await invitations.replace(db, invitation, { now: NOW - 600, expiresAt })
        await resetRequests.put(db, { userId, requestedBy: kept, requestedAt: NOW - 600, expiresAt })
      }
      assert.equal(await purgeAll((limit) => invitations.purge(db, NOW, limit)), 2)
      assert.equal(await purgeAll((limit) => resetRequests.purge(db, NOW, limit)), 2)
      assert.equal(await invitations.findEnd(db, kept, NOW), NOW + 1)
      assert.notEqual(await resetRequests.find(db, kept, NOW), undefined)
    })

    it('removes browsers that were not used for too long', async () => {
      const userId = await makeUser(db)
      const kept = aTokenHash()
      for (const [tokenHash, expiresAt] of [
        [aTokenHash(), NOW],
        [aTokenHash(), NOW - 1],
        [kept, NOW + 1],
      ] as const) {
        await knownBrowsers.put(db, { tokenHash, userId }, { now: NOW - 600, expiresAt })
      }
      assert.equal(await purgeAll((limit) => knownBrowsers.purge(db, NOW, limit)), 2)
      assert.equal(await knownBrowsers.isKnown(db, kept, userId, NOW), true)
    })

    it('walks over the attempts in order, and removes one only as it was seen', async () => {
      const old = { count: 1, since: NOW - 1, blockedUntil: NOW - 1 }
      const keys = ['walk:a', 'walk:b', 'walk:c']
      await attempts.put(db, new Map(keys.map((key) => [key, old])))
      const seen = await attempts.list(db, 'walk:', 2)
      assert.deepEqual(
        seen.map(({ key }) => key),
        ['walk:a', 'walk:b'],
      )
      const [first, second] = seen
      assert.ok(first !== undefined && second !== undefined)
      await attempts.put(db, new Map([['walk:b', { ...old, count: 2 }]]))
      assert.equal(await attempts.removeUnchanged(db, first), true)
      assert.equal(await attempts.removeUnchanged(db, second), false)
      const left = await readAttempts(db, keys)
      assert.deepEqual([...left.keys()].toSorted(), ['walk:b', 'walk:c'])
    })

    it('removes events older than the retention, and no other', async () => {
      for (const at of [NOW - 1, NOW]) {
        const about = { userId: undefined, address: undefined, userAgent: undefined, requestId: undefined }
        const event = { event: 'user-enabled', actor: { kind: 'system' } } as const
        await auditLog.append(db, { ...event, ...about, id: newId(), at })
      }
      assert.equal(await purgeAll((limit) => auditLog.purge(db, NOW, limit)), 1)
      assert.deepEqual(plain(await db.selectFrom('audit_event').select('at').execute()), [{ at: NOW }])
    })
  })
}
