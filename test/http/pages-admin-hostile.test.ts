import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { makeAdmin, open } from '../support/admin.ts'
import { fillIn } from '../support/forms.ts'
import { type Enrolled, startWorld, type World } from '../world.ts'

/** Breaks out of text, attributes, elements and comments wherever it is not escaped. */
const HOSTILE = `"'><script>alarm()</script></td></title><img src=x onerror=alarm()>`

describe('what others wrote, on pages of the administration (SEC-WEB-6)', () => {
  let world: World
  let admin: Enrolled
  let bob: Enrolled

  before(async () => {
    world = await startWorld()
    bob = await world.enrolled('bob', { displayName: HOSTILE })
    admin = await makeAdmin(world)
    const { db } = world.services
    // Past the checks at the edge: a page trusts no row.
    await db.updateTable('otp_device').set({ name: HOSTILE }).where('user_id', '=', bob.id).execute()
    await db.updateTable('session').set({ user_agent: HOSTILE, address: HOSTILE }).execute()
    await db
      .updateTable('audit_event')
      .set({ user_agent: HOSTILE, address: HOSTILE, request_id: HOSTILE })
      .execute()
    await db.updateTable('user').set({ username: HOSTILE }).where('id', '=', bob.id).execute()
    await db.insertInto('user_group').values({ name: HOSTILE, created_at: 0 }).execute()
    await db.insertInto('group_member').values({ group_name: HOSTILE, user_id: bob.id }).execute()
    await db
      .insertInto('audit_event')
      .values({
        ...{ id: world.services.newId(), at: world.clock.now(), event: HOSTILE, outcome: 'success' },
        ...{ actor_kind: 'operator', actor_id: HOSTILE, user_id: bob.id, address: null, user_agent: null },
        ...{ request_id: null, fields: '{}' },
      })
      .execute()
  })
  after(() => world.close())

  const assertEscaped = (text: string, path: string) => {
    assert.ok(text.includes('&lt;script&gt;alarm()'), `${path}: not shown`)
    assert.doesNotMatch(text, /<script>|<img|="[^"]*"[^<>]*'><|<\/td><\/title>/, path)
  }

  it('is escaped wherever it is stored', async () => {
    const user = `/admin/users/${bob.id}`
    const paths = ['/admin/users', '/admin/users/new', user, `${user}/reset`, '/admin/groups', '/admin/audit']
    for (const path of paths) assertEscaped((await open(admin.browser, path)).text, path)
  })

  it('is escaped wherever it is sent', async () => {
    const query = encodeURIComponent(HOSTILE)
    for (const name of ['search', 'group']) {
      const path = `/admin/users?${name}=${query}`
      assertEscaped((await open(admin.browser, path)).text, path)
    }
    for (const name of ['user', 'address']) {
      const path = `/admin/audit?${name}=${query}`
      assertEscaped((await admin.browser.get(path)).text, path)
    }
    const group = await fillIn(admin.browser, '/admin/groups', '/admin/groups', { group: HOSTILE })
    assertEscaped(group.text, 'a group')
    const fields = { username: HOSTILE, name: HOSTILE }
    const user = await fillIn(admin.browser, '/admin/users/new', '/admin/users/new', fields)
    assertEscaped(user.text, 'a user')
  })
})
