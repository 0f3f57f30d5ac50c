import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { change, makeAdmin, open, recorded } from '../support/admin.ts'
import { fillIn, readable } from '../support/forms.ts'
import { type Enrolled, startWorld, type World } from '../world.ts'

/** The usernames that a page lists, in its order. */
const namesIn = ({ text }: { readonly text: string }) =>
  [...text.matchAll(/<a href="\/admin\/users\/[0-9a-v]{26}">([^<]*)<\/a>/g)].map(([, name]) => name)

describe('the list of users', () => {
  let world: World
  let admin: Enrolled

  before(async () => {
    world = await startWorld()
    await world.enrolled('bob', { displayName: 'Bob Baker' })
    for (let i = 0; i < 60; i++) await world.user(`user${String(i).padStart(2, '0')}`)
    admin = await makeAdmin(world)
  })
  after(() => world.close())

  it('goes on by name, twenty-five at a time, and leads back to the start', async () => {
    const seen: (string | undefined)[] = []
    let path: string | undefined = '/admin/users'
    for (let parts = 0; path !== undefined; parts++) {
      const page = await open(admin.browser, path)
      const names = namesIn(page)
      assert.ok(names.length <= 25)
      assert.equal(page.text.includes('href="/admin/users">Back to the start'), parts > 0)
      seen.push(...names)
      path = /href="([^"]+)" rel="next"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&')
    }
    assert.equal(seen.length, 62)
    assert.deepEqual(seen, seen.toSorted())
    assert.equal(new Set(seen).size, 62)
  })

  it('keeps what was asked for on the next page', async () => {
    const page = await open(admin.browser, '/admin/users?search=user&filter=no-second-factor')
    const next = /href="([^"]+)" rel="next"/.exec(page.text)?.[1]
    assert.equal(next, '/admin/users?search=user&amp;filter=no-second-factor&amp;after=user24')
    assert.match(page.text, /value="user"/)
    assert.match(page.text, /<option value="no-second-factor" selected>/)
  })

  it('finds by part of username and name, and says when nobody fits', async () => {
    assert.deepEqual(namesIn(await open(admin.browser, '/admin/users?search=Baker')), ['bob'])
    assert.match(readable(await open(admin.browser, '/admin/users?search=nobody')), /Nobody fits/)
  })

  it('filters by state', async () => {
    const names = async (filter: string) =>
      namesIn(await open(admin.browser, `/admin/users?filter=${filter}`))
    assert.deepEqual(await names('superuser'), ['ada'])
    assert.deepEqual(await names('disabled'), [])
    assert.deepEqual(await names('throttled'), [])
    assert.equal((await names('never-signed-in')).length, 25)
    assert.ok(!(await names('not-seen')).includes('bob'))
    assert.ok(!(await names('no-second-factor')).includes('bob'))
    for (let i = 0; i < 8; i++) {
      await world.browser().post('/auth/login/', { username: 'user07', password: 'wrong wrong wrong' })
    }
    assert.deepEqual(await names('throttled'), ['user07'])
  })

  it('ignores what nobody can ask for', async () => {
    assert.equal(namesIn(await open(admin.browser, '/admin/users?filter=x&after=')).length, 25)
  })

  it('is less than 30 KB with its styles', async () => {
    const page = await open(admin.browser, '/admin/users')
    assert.ok(Buffer.byteLength(page.text) < 30_000)
  })

  it('speaks German', async () => {
    const page = await admin.browser.get('/admin/users', { 'accept-language': 'de' })
    assert.match(readable(page), /Benutzer hinzufügen.*Kein zweiter Faktor/)
  })

  it('adds a user with groups, and shows the link once (SEC-PW-13)', async () => {
    await change(admin.browser, '/admin/groups', '/admin/groups', {
      fields: { group: 'staff' },
      to: '/admin/groups?notice=group-made',
    })
    const form = await open(admin.browser, '/admin/users/new')
    assert.doesNotMatch(form.text, /type="password"/)
    const answer = await fillIn(admin.browser, '/admin/users/new', '/admin/users/new', {
      username: 'carol',
      name: 'Carol Carter',
      'group:staff': 'yes',
    })
    assert.equal(answer.status, 200)
    const [link, code = ''] = /https:\/\/auth\.example\.com\/invite#([\w-]{43})/.exec(answer.text) ?? []
    assert.ok(link, 'no link')
    assert.match(readable(answer), /works once.*holds until/)
    const [{ by, user } = {}] = await recorded(world, 'invitation-made')
    assert.equal(by, admin.id)
    const [created] = (await recorded(world, 'user-created')).filter((event) => event.user === user)
    assert.equal(created?.by, admin.id)
    const page = await open(admin.browser, `/admin/users/${user}`)
    assert.match(readable(page), /carol.*Carol Carter.*none yet.*staff/)
    assert.ok(!page.text.includes(code), 'the link is shown again')
    const used = await world
      .browser()
      .post('/auth/invitation/', { code, password: 'several words put together' })
    assert.equal(used.status, 200)
  })

  it('says beside the field what is wrong with a name, and adds nobody', async () => {
    const cases = [
      [{ username: '', name: '' }, /id="username-error">A username is needed/],
      [{ username: 'ad min', name: '' }, /id="username-error">A username may have letters/],
      [{ username: 'BOB', name: '' }, /id="username-error">This username is taken/],
      [{ username: 'dora', name: 'a\u202eb' }, /id="name-error">A name may have/],
      [{ username: 'dora', name: '', 'group:nothing': 'yes' }, /A group was deleted/],
    ] as const
    for (const [fields, expected] of cases) {
      const answer = await fillIn(admin.browser, '/admin/users/new', '/admin/users/new', fields)
      assert.equal(answer.status, 422)
      assert.match(answer.text, expected)
    }
    assert.deepEqual(namesIn(await open(admin.browser, '/admin/users?search=dora')), [])
  })

  it('takes no field that it did not ask for: neither a password nor a right (SEC-PW-14)', async () => {
    for (const extra of ['password', 'is_superuser', 'isSuperuser', 'groups', 'disabled']) {
      const fields = { username: 'eve', name: '', [extra]: 'yes' }
      const answer = await fillIn(admin.browser, '/admin/users/new', '/admin/users/new', fields)
      assert.equal(answer.status, 400, extra)
    }
    assert.deepEqual(namesIn(await open(admin.browser, '/admin/users?search=eve')), [])
  })
})
