import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { change, makeAdmin, open, recorded } from '../support/admin.ts'
import { fillIn, locationOf, readable } from '../support/forms.ts'
import { type Enrolled, startWorld, type World } from '../world.ts'

describe('the page of groups', () => {
  let world: World
  let admin: Enrolled

  before(async () => {
    world = await startWorld()
    admin = await makeAdmin(world)
  })
  after(() => world.close())

  const make = (group: string) => fillIn(admin.browser, '/admin/groups', '/admin/groups', { group })

  it('makes a group, by the administrator who asked', async () => {
    assert.match(readable(await open(admin.browser, '/admin/groups')), /There is no group yet/)
    assert.equal(locationOf(await make('staff')), '/admin/groups?notice=group-made')
    assert.equal((await recorded(world, 'group-created')).at(-1)?.by, admin.id)
    assert.match(readable(await open(admin.browser, '/admin/groups?notice=group-made')), /staff 0 members/)
  })

  it('says beside the field what is wrong with a name', async () => {
    const cases = {
      '': 'A name is needed',
      'No Group': 'The name of a group has small letters',
      ['x'.repeat(65)]: 'may have at most 64',
      staff: 'There is a group of this name',
    }
    for (const [name, sentence] of Object.entries(cases)) {
      const answer = await make(name)
      assert.equal(answer.status, 422)
      assert.match(answer.text, new RegExp(`id="group-error">[^<]*${sentence}`))
      assert.ok(answer.text.includes(`value="${name}"`))
    }
  })

  it('leads to its members', async () => {
    const bob = await world.user('bob')
    await world.user('carol')
    await change(admin.browser, `/admin/users/${bob}`, `/admin/users/${bob}/groups/add`, {
      fields: { group: 'staff' },
      to: `/admin/users/${bob}?notice=added`,
    })
    const page = await open(admin.browser, '/admin/groups')
    assert.match(page.text, /href="\/admin\/users\?group=staff" aria-label="1 member of staff"/)
    const members = readable(await open(admin.browser, '/admin/users?group=staff'))
    assert.match(members, /Only members of staff/)
    assert.ok(members.includes('bob') && !members.includes('carol'))
  })

  it('deletes a group after saying what happens', async () => {
    const asked = await open(admin.browser, '/admin/groups/staff/delete')
    assert.match(readable(asked), /1 member leaves it at once/)
    const path = '/admin/groups/staff/delete'
    await change(admin.browser, path, path, { to: '/admin/groups?notice=group-deleted' })
    assert.equal((await recorded(world, 'group-deleted')).at(-1)?.by, admin.id)
    await change(admin.browser, '/admin/groups', path, { to: '/admin/groups?notice=gone' })
  })

  it('names in each repeated link what it is about', async () => {
    await make('editors')
    const { text } = await open(admin.browser, '/admin/groups')
    assert.match(text, /aria-label="Delete the group editors">Delete</)
  })

  it('speaks German', async () => {
    const page = await admin.browser.get('/admin/groups', { 'accept-language': 'de' })
    assert.match(readable(page), /Gruppen.*editors 0 Mitglieder.*Gruppe anlegen/)
  })
})
