import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { CompiledQuery, Kysely } from 'kysely'
import type { UserId } from '../../src/domain/user.ts'
import type { Database } from '../../src/store/database.ts'
import { sqliteDialect } from '../../src/store/sqlite.ts'
import { type EventSelection, listAuditEvents } from '../../src/store/views/list-audit.ts'
import { startWorld, type World } from '../world.ts'

let world: World
let db: Kysely<Database>
const queries: CompiledQuery[] = []

before(async () => {
  world = await startWorld()
  const { database } = world.config
  assert.ok(database.kind === 'sqlite')
  db = new Kysely<Database>({
    dialect: sqliteDialect(database.path),
    log: ({ query }) => {
      queries.push(query)
    },
  })
})
after(async () => {
  await db.destroy()
  await world.close()
})

/** How SQLite would read the events of a selection. */
async function planOf(selection: Partial<EventSelection>): Promise<string> {
  queries.length = 0
  await listAuditEvents(db, { order: 'latest-first', limit: 51, ...selection })
  const [query] = queries
  assert.ok(query)
  const explained = CompiledQuery.raw(`explain query plan ${query.sql}`, [...query.parameters])
  const { rows } = await db.executeQuery<{ detail: string }>(explained)
  return rows.map(({ detail }) => detail).join('\n')
}

const userId = '0'.repeat(26) as UserId
const beyond = { at: 1_800_000_000, id: '0'.repeat(26) }

it('SQLite finds the events of one user by the user, whatever else is asked for', async () => {
  for (const more of [
    { event: 'password-refused' },
    { event: 'password-refused', after: beyond },
    { event: 'password-refused', since: 1, until: 2_000_000_000, order: 'oldest-first' },
  ] as const) {
    const plan = await planOf({ userId, ...more })
    assert.match(plan, /SEARCH audit_event USING INDEX audit_event_user \(user_id=\?/)
    assert.doesNotMatch(plan, /audit_event_name/)
  }
})

it('SQLite finds the events of one name by the name, in their order', async () => {
  const plan = await planOf({ event: 'password-refused', after: beyond })
  assert.match(plan, /SEARCH audit_event USING INDEX audit_event_name \(event=\?/)
  assert.doesNotMatch(plan, /TEMP B-TREE/)
})
