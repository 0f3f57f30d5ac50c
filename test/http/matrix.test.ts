import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createUser } from '../../src/actions/create-user.ts'
import { routes } from '../../src/http/api/routes.ts'
import type { Route } from '../../src/http/endpoint.ts'
import * as groups from '../../src/store/groups.ts'
import { type Browser, PASSWORD, type Reply, startWorld, type World } from '../world.ts'
import { passage, type Role, roles, smuggled } from './matrix.ts'

/** What routes take, so that a request comes as far as the question who may make it. */
const bodies: Readonly<Record<string, object>> = {
  '/auth/verify/': { otp: 'wrong' },
  '/auth/password/': { new_password: 'a new and longer password' },
  '/auth/app-passwords/': { name: 'git', policies: 'two-factor' },
  '/auth/admin/users/': { username: 'newcomer' },
  '/auth/admin/groups/': { name: 'wiki' },
  '/auth/admin/users/:id/groups/': { group: 'staff' },
}

const refusals = new Set(['not_signed_in', 'admin_required', 'fresh_authentication_required'])

describe('who may call what (SEC-AZ-1)', () => {
  let world: World
  let people: Record<Role, Browser>
  let target = ''
  before(async () => {
    world = await startWorld({ config: { login: { enrolment: 'optional' } } })
    const operator = { operator: 'test' }
    const rest = { displayName: '', isSuperuser: false, mustChangePassword: false, groups: [] }
    const made = await createUser(services(), { ...rest, username: 'target', password: PASSWORD }, operator)
    target = made.kind === 'created' ? made.id : ''
    await groups.insert(services().db, 'staff', world.clock.now())

    // The old ones first: the clock goes on until their proof is old, and only one of them goes on looking.
    const { browser: lockedAdmin } = await world.enrolled('locked', { isSuperuser: true })
    const { browser: oldAdmin } = await world.enrolled('old-admin', { isSuperuser: true })
    const { browser: oldUser } = await world.enrolled('old-user')
    for (let minutes = 0; minutes < 20; minutes += 4) {
      await oldAdmin.get('/auth/admin/overview/')
      world.clock.advance(240)
    }
    const waiting = world.browser()
    await world.user('waiting', { isSuperuser: true })
    await waiting.post('/auth/login/', { username: 'waiting', password: PASSWORD })
    const alone = world.browser()
    await world.user('alone')
    await alone.post('/auth/login/', { username: 'alone', password: PASSWORD })
    const { browser: user } = await world.enrolled('user')
    const { browser: admin } = await world.enrolled('admin', { isSuperuser: true })
    people = {
      anonymous: world.browser(),
      'login under way': waiting,
      'user of a password alone': alone,
      user,
      'user of an old proof': oldUser,
      administrator: admin,
      'administrator of an old proof': oldAdmin,
      'administrator whose administration is locked': lockedAdmin,
    }
  })
  after(() => world.close())
  const services = () => world.services

  const send = (browser: Browser, { method, path }: Route, fields: object = {}): Promise<Reply> => {
    const address = path.replace(':id', target).replace(':name', 'staff')
    if (method === 'GET') return browser.get(address)
    if (method === 'DELETE') return browser.delete(address)
    const body = { ...bodies[path], ...fields }
    return method === 'POST' ? browser.post(address, body) : browser.patch(address, body)
  }

  /** Those whose own rules decide further are tried in tests of their own; the way in is the same for all. */
  const guarded = routes.filter(({ access }) => access !== 'monitoring')

  for (const route of guarded) {
    const { method, path, access } = route
    it(`${method} ${path}, for ${access}, is as its declaration says for everybody`, async () => {
      for (const role of roles) {
        // A copy of the browser: what one call does to its cookies is not for the next.
        const reply = await send(people[role].clone(), route)
        const expected = passage(route, role)
        const call = `${role}: ${reply.status} ${reply.text}`
        if (expected !== 'in') assert.equal(reply.body.code, expected, call)
        else if (access === 'admin') assert.equal(refusals.has(reply.body?.code), false, call)
        else if (access === 'session') assert.notEqual(reply.body?.code, 'not_signed_in', call)
        if (path === '/auth/logout/' || path.startsWith('/auth/sessions')) return
      }
    })
  }

  it('declares for every route who may call it', () => {
    const known = ['anybody', 'login-or-session', 'session', 'admin', 'monitoring']
    for (const { access, path } of routes) {
      assert.ok(known.includes(access), path)
      assert.equal(access === 'admin', path.startsWith('/auth/admin/'), path)
    }
  })
})

describe('fields that no route lists (SEC-AZ-3)', () => {
  let world: World
  let admin: Browser
  let id = ''
  before(async () => {
    world = await startWorld()
    ;({ browser: admin } = await world.enrolled('admin', { isSuperuser: true }))
    id = await world.user('target')
  })
  after(() => world.close())

  for (const { method, path } of routes.filter(({ method }) => method === 'POST' || method === 'PATCH')) {
    it(`are refused by ${method} ${path}, one by one`, async () => {
      const address = path.replace(':id', id)
      const before = await world.services.db.selectFrom('user').selectAll().orderBy('id').execute()
      for (const [name, value] of Object.entries(smuggled)) {
        const fields = { ...bodies[path], [name]: value }
        const browser = admin.clone()
        const reply = await (method === 'POST'
          ? browser.post(address, fields)
          : browser.patch(address, fields))
        assert.equal(reply.status, 400, `${name}: ${reply.text}`)
        assert.equal(reply.body.code, 'invalid_request', name)
      }
      // Nobody's password is an administrator's to set (SEC-PW-14).
      if (path.startsWith('/auth/admin/')) {
        const reply = await admin.clone().post(address, { ...bodies[path], password: PASSWORD })
        assert.equal(reply.status, 400)
      }
      assert.deepEqual(await world.services.db.selectFrom('user').selectAll().orderBy('id').execute(), before)
    })
  }

  for (const { path } of routes.filter(({ query }) => query !== undefined)) {
    it(`are refused in the query of GET ${path}, and so is one that comes twice (SEC-INP-9)`, async () => {
      for (const query of [
        'role=admin',
        'limit=1&limit=2',
        'limit=0',
        'limit=x',
        'limit=1001',
        'limit=%ff',
        '=',
      ]) {
        const reply = await admin.get(`${path}?${query}`)
        assert.deepEqual([reply.status, reply.body.code], [400, 'invalid_request'], query)
      }
      assert.equal((await admin.get(`${path}?limit=1`)).status, 200)
    })
  }
})
