import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { PASSWORD, startWorld, type World } from '../world.ts'

describe('a database file whose pages took each other’s place (FT-DISK-3, I3)', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())

  /** Each of these begins with the id of a user, as the table of users does, and knows nothing of being disabled. */
  for (const other of ['session_user', 'group_member', 'password_hash']) {
    it(`takes nobody for somebody when ${other} is read for the users`, async (t) => {
      const { id, browser } = await world.enrolled(`reads-${other.replace('_', '-')}`)
      await world.services.db.insertInto('user_group').values({ name: other, created_at: 0 }).execute()
      await world.services.db.insertInto('group_member').values({ user_id: id, group_name: other }).execute()
      assert.equal((await browser.get('/auth/session/')).status, 200)
      exchangeRoots(world, 'user', other)
      t.after(() => exchangeRoots(world, 'user', other))
      const reply = await browser.get('/auth/session/')
      assert.deepEqual([reply.status, reply.body.code], [503, 'storage_unavailable'], reply.text)
      const login = await world
        .browser()
        .post('/auth/login/', { username: `reads-${other.replace('_', '-')}`, password: PASSWORD })
      assert.ok(login.status >= 400, login.text)
    })
  }
})

/** Lets each of two trees stand where the other stood. */
function exchangeRoots({ config: { database } }: World, one: string, other: string): void {
  if (database.kind !== 'sqlite') throw new Error('a world is on SQLite by default')
  const file = new DatabaseSync(database.path, { defensive: false })
  const rootOf = (name: string) =>
    file.prepare('select rootpage from sqlite_schema where name = ?').get(name)?.rootpage as number
  const [first, second] = [rootOf(one), rootOf(other)]
  const version = file.prepare('pragma schema_version').get()?.schema_version as number
  file.exec('pragma writable_schema = on')
  const move = file.prepare('update sqlite_schema set rootpage = ? where name = ?')
  move.run(second, one)
  move.run(first, other)
  // So that every handle reads the schema anew.
  file.exec(`pragma schema_version = ${version + 1}`)
  file.close()
}
