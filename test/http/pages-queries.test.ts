import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { makeAdmin, open } from '../support/admin.ts'
import { locationOf } from '../support/forms.ts'
import { startPostgres } from '../support/postgres.ts'
import { type Enrolled, startWorld, type World } from '../world.ts'

/** The usernames that a page lists, in its order. */
const namesIn = ({ text }: { readonly text: string }) =>
  [...text.matchAll(/<a href="\/admin\/users\/[0-9a-v]{26}">([^<]*)<\/a>/g)].map(([, name]) => name)

const engines = {
  SQLite: async () => ({ world: await startWorld(), stop: async () => {} }),
  PostgreSQL: async () => {
    const postgres = await startPostgres()
    const world = await startWorld({ databaseUrl: await postgres.createDatabase('queries') })
    return { world, stop: postgres.stop }
  },
}

for (const [engine, start] of Object.entries(engines)) {
  describe(`the query of a page, on ${engine}`, () => {
    let world: World
    let stop: () => Promise<void>
    let admin: Enrolled

    before(async () => {
      ;({ world, stop } = await start())
      for (const name of ['bob', 'carol']) await world.user(name, { displayName: `${name} Baker` })
      admin = await makeAdmin(world)
    })
    after(async () => {
      await world.close()
      await stop()
    })

    it('gives nothing once it names something twice (SEC-INP-9)', async () => {
      for (const twice of ['filter=disabled&filter=superuser', 'x=1&x=2', 'search=bob', 'se%61rch=carol']) {
        const page = await open(admin.browser, `/admin/users?search=bob&${twice}`)
        assert.deepEqual(namesIn(page), ['ada', 'bob', 'carol'], twice)
        assert.doesNotMatch(page.text, /value="bob"/)
      }
      const lured = await world
        .browser()
        .get('/login?return_to=/account/sessions&with=recovery&with=recovery')
      assert.doesNotMatch(lured.text, /value="\/account\/sessions"/)
      const twice = '/login?return_to=/account/sessions&return_to=/account/password'
      assert.equal(locationOf(await admin.browser.get(twice)), '/account')
    })

    it('may have two thousand parameters beside those that mean something', async () => {
      const many = Array.from({ length: 2000 }, (_, index) => `p${index}=${index}`).join('&')
      const page = await open(admin.browser, `/admin/users?${many}&search=bob`)
      assert.deepEqual(namesIn(page), ['bob'])
      const twice = await open(admin.browser, `/admin/users?${many}&search=bob&p7=7`)
      assert.deepEqual(namesIn(twice), ['ada', 'bob', 'carol'])
    })

    it('may have a NUL anywhere, which no search finds and no database sees (SEC-INP-9)', async () => {
      const pages = ['users?search', 'users?filter', 'users?group', 'users?after', 'users?%00']
      const logs = ['audit?user', 'audit?event', 'audit?address', 'audit?from', 'audit?to', 'audit?after']
      const files = ['audit.jsonl?user', 'audit.csv?address']
      for (const asked of [...pages, ...logs, ...files]) {
        const answer = await admin.browser.get(`/admin/${asked}=a%00b`)
        assert.equal(answer.status, 200, asked)
      }
      for (const asked of ['search', 'filter', 'group', 'after', 'limit', '%00']) {
        const answer = await admin.browser.get(`/auth/admin/users/?${asked}=a%00b`)
        assert.equal(answer.status, 400, asked)
      }
      for (const path of ['users/a%00b', 'users/a%00b/reset', 'groups/a%00b/delete']) {
        assert.equal((await admin.browser.get(`/admin/${path}`)).status, 404, path)
      }
      assert.equal((await admin.browser.get('/auth/admin/users/a%00b/')).status, 404)
    })
  })
}
