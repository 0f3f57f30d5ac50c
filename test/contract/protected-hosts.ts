import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CLOCK_SKEW } from '../../src/domain/time.ts'
import * as groups from '../../src/store/groups.ts'
import * as sessions from '../../src/store/sessions.ts'
import * as siteSessions from '../../src/store/site-sessions.ts'
import * as tickets from '../../src/store/tickets.ts'
import { aTokenHash, makeSession, makeUser, NOW } from './people.ts'
import type { Opened } from './store.ts'

const host = 'https://wiki.example.net'

/** tickets and site-sessions. */
export function protectedHostContract(open: Opened): void {
  describe('tickets', () => {
    const aTicket = async () => {
      const session = await makeSession(open(), await makeUser(open()))
      const ticket = { tokenHash: aTokenHash(), sessionId: session.id, host, stateHash: aTokenHash() }
      await tickets.replace(open(), { ...ticket, now: NOW, expiresAt: NOW + 60 })
      return ticket
    }

    it('are taken once, though many take it at once', async () => {
      const { tokenHash, sessionId, stateHash } = await aTicket()
      const taken = await Promise.all(
        Array.from({ length: 16 }, () => tickets.take(open(), tokenHash, { host, stateHash, now: NOW })),
      )
      assert.deepEqual(
        taken.filter((each) => each !== undefined),
        [sessionId],
      )
    })

    it('are for one browser, one host and one minute, and stay there for the right one', async () => {
      const { tokenHash, sessionId, stateHash } = await aTicket()
      const right = { host, stateHash, now: NOW }
      for (const wrong of [
        { ...right, host: 'https://shop.example.org' },
        { ...right, stateHash: aTokenHash() },
        { ...right, now: NOW + 60 },
        { ...right, now: NOW - CLOCK_SKEW - 1 },
      ]) {
        assert.equal(await tickets.take(open(), tokenHash, wrong), undefined)
      }
      assert.equal(await tickets.take(open(), aTokenHash(), right), undefined)
      assert.equal(await tickets.findSession(open(), tokenHash), sessionId)
      assert.equal(await tickets.findSession(open(), aTokenHash()), undefined)
      assert.equal(await tickets.take(open(), tokenHash, { ...right, now: NOW + 59 }), sessionId)
    })

    it('take the place of an earlier one for the same host, and end with the session', async () => {
      const first = await aTicket()
      const next = { ...first, tokenHash: aTokenHash() }
      const elsewhere = { ...first, tokenHash: aTokenHash(), host: 'https://shop.example.org' }
      for (const each of [elsewhere, next])
        await tickets.replace(open(), { ...each, now: NOW, expiresAt: NOW + 60 })
      const take = ({ tokenHash, ...binding }: typeof first) =>
        tickets.take(open(), tokenHash, { ...binding, now: NOW })
      assert.equal(await take(first), undefined)
      assert.equal(await take(next), first.sessionId)
      await open().deleteFrom('session').where('id', '=', first.sessionId).execute()
      assert.equal(await take(elsewhere), undefined)
    })
  })

  describe('sessions of protected hosts', () => {
    it('are the session itself, with the user as they are now, on one host', async () => {
      const db = open()
      const userId = await makeUser(db)
      const session = await makeSession(db, userId)
      const tokenHash = aTokenHash()
      await siteSessions.replace(db, { tokenHash, sessionId: session.id, host }, NOW)
      const group = `g-${userId}`
      await groups.insert(db, group, NOW)
      await groups.addMember(db, group, userId)
      const found = await sessions.findBySiteToken(db, tokenHash, host)
      assert.deepEqual(found, await sessions.findByToken(db, session.tokenHash))
      assert.deepEqual([found?.session.id, found?.groups], [session.id, [group]])
      assert.equal(await sessions.findBySiteToken(db, tokenHash, 'https://shop.example.org'), undefined)
      assert.equal(await sessions.findBySiteToken(db, aTokenHash(), host), undefined)
      // Neither token is the other: that of a host opens no page of ours.
      assert.equal(await sessions.findByToken(db, tokenHash), undefined)
    })

    it('hold their session until the transaction ends, if it was not ended', async () => {
      const db = open()
      const session = await makeSession(db, await makeUser(db))
      const found = await sessions.findByToken(db, session.tokenHash)
      assert.equal(await db.transaction().execute((tx) => sessions.hold(tx, session.id)), true)
      assert.deepEqual(await sessions.findByToken(db, session.tokenHash), found)
      assert.equal(await db.transaction().execute((tx) => sessions.hold(tx, 'another')), false)
    })

    it('are one a host, and end with the session', async () => {
      const db = open()
      const userId = await makeUser(db)
      const session = await makeSession(db, userId)
      const [first, second] = [aTokenHash(), aTokenHash()]
      for (const tokenHash of [first, second]) {
        await siteSessions.replace(db, { tokenHash, sessionId: session.id, host }, NOW)
      }
      assert.equal(await sessions.findBySiteToken(db, first, host), undefined)
      assert.equal((await sessions.findBySiteToken(db, second, host))?.session.id, session.id)
      await sessions.removeAll(db, userId)
      assert.equal(await sessions.findBySiteToken(db, second, host), undefined)
      const left = await db
        .selectFrom('site_session')
        .select('host')
        .where('session_id', '=', session.id)
        .execute()
      assert.deepEqual(left, [])
    })
  })
}
