import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { newId } from '../../src/crypto/random.ts'
import type { Actor } from '../../src/domain/audit.ts'
import { StorageFault } from '../../src/domain/faults.ts'
import type { UserId } from '../../src/domain/user.ts'
import * as auditLog from '../../src/store/audit-log.ts'
import type { Db } from '../../src/store/database.ts'
import { prepared } from '../../src/store/prepared.ts'
import * as users from '../../src/store/users.ts'
import { everyKindOfText, makeUser, NOW, plain } from './people.ts'
import type { Opened } from './store.ts'

/** audit-log, prepared queries, and what a transaction is. */
export function recordContract(open: Opened): void {
  describe('the audit log', () => {
    it('keeps an event as it was written, of every kind of actor', async () => {
      const db = open()
      const actors: readonly [Actor, string | null][] = [
        [{ kind: 'user', userId: 'u1' as UserId }, 'u1'],
        [{ kind: 'operator', name: 'Ünal' }, 'Ünal'],
        [{ kind: 'anonymous' }, null],
        [{ kind: 'system' }, null],
      ]
      for (const [actor, actorId] of actors) {
        const record = anEvent({ actor, userId: 'u2' as UserId, requestId: 'r1' })
        await auditLog.append(db, record)
        assert.deepEqual(
          { ...(await rowOf(db, record.id)) },
          {
            id: record.id,
            at: NOW,
            event: 'throttled',
            outcome: 'failure',
            actor_kind: actor.kind,
            actor_id: actorId,
            user_id: 'u2',
            address: '203.0.113.7',
            user_agent: 'test',
            request_id: 'r1',
            fields: '{"budget":"code","wait":30}',
          },
        )
      }
    })

    it('keeps every kind of text of a browser as it was', async () => {
      const db = open()
      for (const userAgent of everyKindOfText) {
        const record = anEvent({ userAgent })
        await auditLog.append(db, record)
        assert.equal((await rowOf(db, record.id))?.user_agent, userAgent)
      }
    })

    it('is written with what it tells of, or not at all (SEC-LOG-6)', async () => {
      const db = open()
      const record = anEvent({})
      const failing = db.transaction().execute(async (tx) => {
        await auditLog.append(tx, record)
        throw new Error('undo')
      })
      await assert.rejects(failing, { message: 'undo' })
      assert.equal(await rowOf(db, record.id), undefined)
    })
  })

  describe('prepared queries', () => {
    const named = prepared((db: Db, { least, username }: { least: number; username: string }) =>
      db
        .selectFrom('user')
        .select(['id', 'epoch'])
        .where('username', '=', username)
        .where('epoch', '>=', least)
        .where('username', '=', username)
        .where('is_superuser', '=', 0),
    )

    it('put each parameter where it belongs, again and again, on the pool and in a transaction', async () => {
      const db = open()
      const names = [`p-${newId()}`, `p-${newId()}`] as const
      const ids = [await makeUser(db, names[0]), await makeUser(db, names[1])] as const
      const found = async (on: Db, least: number, name: string) =>
        plain((await named(on, { least, username: name })).rows)
      assert.deepEqual(await found(db, 0, names[0]), [{ id: ids[0], epoch: 1 }])
      assert.deepEqual(await found(db, 1, names[1]), [{ id: ids[1], epoch: 1 }])
      assert.deepEqual(await found(db, 2, names[0]), [])
      const inside = await db.transaction().execute((tx) => found(tx, 1, names[0]))
      assert.deepEqual(inside, [{ id: ids[0], epoch: 1 }])
    })

    it('see in a transaction what it wrote, and outside of it what is committed', async () => {
      const db = open()
      const name = `p-${newId()}`
      await db.transaction().execute(async (tx) => {
        await makeUser(tx, name)
        assert.equal((await named(tx, { least: 1, username: name })).rows.length, 1)
        assert.equal((await named(db, { least: 1, username: name })).rows.length, 0)
      })
      assert.equal((await named(db, { least: 1, username: name })).rows.length, 1)
    })

    it('count the rows they wrote', async () => {
      const db = open()
      const renaming = prepared((on: Db, { id, name }: { id: UserId; name: string }) =>
        on.updateTable('user').set({ display_name: name }).where('id', '=', id),
      )
      const id = await makeUser(db)
      assert.equal((await renaming(db, { id, name: 'one' })).affected, 1)
      assert.equal((await renaming(db, { id: 'nobody' as UserId, name: 'two' })).affected, 0)
      const inside = await db.transaction().execute((tx) => renaming(tx, { id, name: 'three' }))
      assert.equal(inside.affected, 1)
      assert.equal((await users.findById(db, id))?.displayName, 'three')
    })

    it('refuse to be built when a parameter is not a bound value of theirs', async () => {
      const lost = prepared((db: Db, { id: _ }: { id: UserId }) => db.selectFrom('user').select('id'))
      await assert.rejects(lost(open(), { id: 'x' as UserId }), /not among the bound values/)
    })
  })

  describe('transactions', () => {
    it('are seen as a whole or not at all', async () => {
      const db = open()
      const name = `t-${newId()}`
      const failing = db.transaction().execute(async (tx) => {
        await makeUser(tx, name)
        await makeUser(tx, name.toUpperCase())
      })
      await assert.rejects(failing, /is taken/)
      await makeUser(db, name)
    })

    it('turn what the engine throws into a StorageFault, and the next one works', async () => {
      const db = open()
      const nobody = 'nobody' as UserId
      const statement = (on: Db) =>
        on.insertInto('group_member').values({ group_name: 'none', user_id: nobody }).execute()
      await assert.rejects(statement(db), StorageFault)
      await assert.rejects(
        db.transaction().execute((tx) => statement(tx)),
        StorageFault,
      )
      await makeUser(db)
    })

    it('store nothing of the one in which a statement failed', async () => {
      const db = open()
      let id: UserId | undefined
      const failing = db.transaction().execute(async (tx) => {
        id = await makeUser(tx)
        await auditLog.append(tx, { ...anEvent({}), id: newId(), at: Number.NaN })
      })
      await assert.rejects(failing, StorageFault)
      assert.ok(id)
      assert.equal(
        await db.selectFrom('user').select('id').where('id', '=', id).executeTakeFirst(),
        undefined,
      )
    })
  })
}

const anEvent = (more: Partial<auditLog.AuditRecord>): auditLog.AuditRecord =>
  ({
    id: newId(),
    at: NOW,
    event: 'throttled',
    budget: 'code',
    wait: 30,
    actor: { kind: 'anonymous' },
    userId: undefined,
    address: '203.0.113.7',
    userAgent: 'test',
    requestId: undefined,
    ...more,
  }) as auditLog.AuditRecord

const rowOf = (db: Db, id: string) =>
  db.selectFrom('audit_event').selectAll().where('id', '=', id).executeTakeFirst()
