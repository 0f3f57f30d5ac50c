import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { pageRoutes } from '../../src/http/routes/list.ts'
import { change, makeAdmin, open } from '../support/admin.ts'
import { fillIn, locationOf, postFields } from '../support/forms.ts'
import { type Enrolled, PASSWORD, startWorld, type World } from '../world.ts'

const adminRoutes = pageRoutes.filter(({ path }) => path.startsWith('/admin'))

describe('the pages of administration', () => {
  let world: World
  let admin: Enrolled
  let user: Enrolled
  const addressOf = (path: string) =>
    path.replace(':id', path.startsWith('/admin/groups') ? 'staff' : user.id)

  before(async () => {
    world = await startWorld()
    user = await world.enrolled('bob')
    admin = await makeAdmin(world)
    await change(admin.browser, '/admin/groups', '/admin/groups', {
      fields: { group: 'staff' },
      to: '/admin/groups?notice=group-made',
    })
  })
  after(() => world.close())

  it('are declared for administrators alone (SEC-AZ-1)', () => {
    assert.ok(adminRoutes.length > 20)
    assert.deepEqual(
      adminRoutes.filter(({ access }) => access !== 'admin').map(({ path }) => path),
      [],
    )
  })

  it('ask whoever is not signed in to sign in', async () => {
    for (const { method, path } of adminRoutes) {
      const address = addressOf(path)
      const answer = await world.browser().send(address, { method })
      const back = method === 'GET' ? `?return_to=${encodeURIComponent(address)}` : ''
      assert.deepEqual([answer.status, locationOf(answer)], [303, `/login${back}`], `${method} ${path}`)
    }
  })

  it('refuse users (SEC-AZ-6)', async () => {
    for (const { method, path } of adminRoutes) {
      const answer = await user.browser.send(addressOf(path), { method })
      assert.equal(answer.status, 403, `${method} ${path}`)
    }
  })

  it('refuse superusers who proved a password alone (SEC-AZ-6)', async () => {
    await world.user('root', { isSuperuser: true })
    const browser = world.browser()
    await browser.post('/auth/login/', { username: 'root', password: PASSWORD })
    assert.equal(locationOf(await browser.get('/admin')), '/login?return_to=%2Fadmin')
  })

  it('open for superusers with two factors, each of them', async () => {
    const paths = adminRoutes.filter(({ method }) => method === 'GET').map(({ path }) => addressOf(path))
    for (const path of paths) await open(admin.browser, path)
  })

  it('take no form without its key (SEC-CSRF-1)', async () => {
    for (const { method, path } of adminRoutes) {
      if (method === 'GET') continue
      const answer = await postFields(admin.browser, addressOf(path), {})
      assert.equal(answer.status, 403, path)
    }
  })

  it('ask for a fresh proof before a change once the last one is old (SEC-AUTH-10)', async () => {
    const late = await makeAdmin(world, 'grace')
    await open(late.browser, '/admin')
    world.clock.advance(6 * 60)
    const page = `/admin/users/${user.id}`
    await open(late.browser, page)
    const verbs = ['disable', 'unlock', 'invite', 'reset']
    for (const verb of verbs) {
      const answer = await fillIn(late.browser, page, `${page}/${verb}`)
      const back = verb === 'reset' ? `${page}/reset` : page
      const to = `/confirm?return_to=${encodeURIComponent(back)}`
      assert.deepEqual([answer.status, locationOf(answer)], [303, to], verb)
    }
    const asked = `/confirm?return_to=${encodeURIComponent(page)}`
    const proven = await fillIn(late.browser, asked, '/confirm', {
      return_to: page,
      password: PASSWORD,
      otp: late.phone.code(),
    })
    assert.equal(locationOf(proven), page)
    await change(late.browser, page, `${page}/disable`, { to: `${page}?notice=disabled` })
    await change(late.browser, page, `${page}/enable`, { to: `${page}?notice=enabled` })
  })

  it('close after fifteen minutes without use, and come back after a proof (SEC-AZ-6)', async () => {
    const idle = await makeAdmin(world, 'hedy')
    await open(idle.browser, '/admin/users?search=b')
    world.clock.advance(15 * 60)
    const answer = await idle.browser.get('/admin/users?search=b')
    const to = `/confirm?return_to=${encodeURIComponent('/admin/users?search=b')}`
    assert.deepEqual([answer.status, locationOf(answer)], [303, to])
    await open(idle.browser, '/account')
  })

  const visits = { users: '/admin/users', file: '/admin/audit.jsonl', api: '/auth/admin/users/' }
  for (const [name, path] of Object.entries(visits)) {
    it(`stay open by visits to ${path} of our own, and not by those that another site causes (SEC-AZ-6)`, async () => {
      const closed = name === 'api' ? 403 : 303
      for (const [from, statuses] of [
        ['same-origin', [200, 200, 200]],
        ['none', [200, 200, 200]],
        ['cross-site', [200, closed, closed]],
        ['same-site', [200, closed, closed]],
      ] as const) {
        const visitor = await makeAdmin(world, `${name}-${from}`)
        await open(visitor.browser, '/admin')
        const seen: number[] = []
        for (let count = 0; count < 3; count++) {
          world.clock.advance(14 * 60)
          seen.push((await visitor.browser.get(path, { 'sec-fetch-site': from })).status)
        }
        assert.deepEqual(seen, statuses, from)
      }
    })
  }

  it('close at once for whoever is no administrator any more (SEC-AZ-4)', async () => {
    const former = await makeAdmin(world, 'ida')
    await open(former.browser, '/admin')
    await world.services.db.updateTable('user').set({ is_superuser: 0 }).where('id', '=', former.id).execute()
    assert.equal((await former.browser.get('/admin')).status, 403)
  })

  it('tell unknown users and groups apart from known ones by 404', async () => {
    const fresh = await makeAdmin(world, 'joan')
    const nobody = '0'.repeat(26)
    const paths = ['/admin/users/x', `/admin/users/${nobody}`, `/admin/users/${nobody}/reset`]
    for (const path of [...paths, '/admin/groups/nothing/delete', '/admin/groups/A%20B/delete']) {
      assert.equal((await fresh.browser.get(path)).status, 404, path)
    }
    for (const verb of ['disable', 'enable', 'unlock', 'invite', 'reset']) {
      const answer = await fillIn(fresh.browser, '/admin', `/admin/users/${nobody}/${verb}`)
      assert.equal(answer.status, 404, verb)
    }
  })
})
