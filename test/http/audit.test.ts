import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { changeGroup, type GroupChange } from '../../src/actions/change-group.ts'
import { deleteUser } from '../../src/actions/delete-user.ts'
import { disableUser } from '../../src/actions/disable-user.ts'
import { enableUser } from '../../src/actions/enable-user.ts'
import { resetSecondFactor } from '../../src/actions/reset-second-factor.ts'
import { setPassword } from '../../src/actions/set-password.ts'
import { unlockUser } from '../../src/actions/unlock-user.ts'
import { expectStatus, PASSWORD, phoneOf, startWorld, type World } from '../world.ts'
import { giveCounterToken, halfSignedIn, operator, recoveryCodes, signIn, stranger } from './journeys.ts'

let world: World
before(async () => {
  world = await startWorld()
})
after(() => world.close())

/** The events that this adds to the audit log. */
const eventsOf = async (act: () => Promise<unknown>) => {
  const before = (await world.audit()).length
  await act()
  return (await world.audit()).slice(before)
}
const namesOf = async (act: () => Promise<unknown>) => (await eventsOf(act)).map(({ event }) => event)

describe('each action is one event of its own kind (SEC-LOG-1, I10)', () => {
  const user = (username: string) => world.enrolled(username)

  it('a right password, and then a code', async () => {
    const { phone } = await user('steps')
    let half = stranger(world)
    const password = async () => {
      half = await halfSignedIn(world, 'steps')
    }
    assert.deepEqual(await namesOf(password), ['password-accepted'])
    const events = await eventsOf(() => half.post('/auth/verify/', { otp: phone.code() }))
    assert.deepEqual(
      events.map(({ event, outcome, fields }) => [event, outcome, fields.amr]),
      [['signed-in', 'success', ['pwd', 'otp']]],
    )
  })

  it('all three at once', async () => {
    const account = await user('whole')
    assert.deepEqual(await namesOf(() => signIn(world, account)), ['signed-in'])
  })

  it('a wrong password, an unknown name, a disabled user, a user without a password', async () => {
    await user('refusing')
    await world.user('off')
    await disableUser(world.services, 'off', operator)
    await world.user('bare', { password: undefined })
    for (const [username, reason] of [
      ['refusing', 'wrong-password'],
      ['nobody-at-all', 'unknown-user'],
      ['off', 'disabled'],
      ['bare', 'no-password'],
    ] as const) {
      const events = await eventsOf(() =>
        stranger(world).post('/auth/login/', { username, password: 'wrong' }),
      )
      assert.deepEqual(
        events.map((e) => [e.event, e.outcome, e.fields.reason]),
        [['password-refused', 'failure', reason]],
      )
    }
  })

  it('a wrong code, a malformed one, a used one and one that nothing waits for', async () => {
    const account = await user('codes')
    const used = account.phone.code()
    await signIn(world, account)
    await world.user('codeless')
    const attempt = (username: string, otp: string) =>
      stranger(world).post('/auth/authenticate/', { username, password: PASSWORD, otp })
    for (const [username, otp, reason] of [
      ['codes', '00000000', 'wrong-code'],
      ['codes', 'x', 'malformed'],
      ['codes', used, 'repeated'],
      ['codeless', '123456', 'no-enrolment'],
    ] as const) {
      const events = await eventsOf(() => attempt(username, otp))
      assert.deepEqual(
        events.map((e) => [e.event, e.outcome, e.fields.reason]),
        [['code-refused', 'failure', reason]],
      )
    }
  })

  it('a wait that begins, once', async () => {
    await user('waits')
    const guess = () => stranger(world).post('/auth/login/', { username: 'waits', password: 'wrong' })
    for (let i = 0; i < 4; i++) await guess()
    const events = await eventsOf(guess)
    assert.deepEqual(events.map(({ event }) => event).toSorted(), ['password-refused', 'throttled'])
    const { fields } = events.find(({ event }) => event === 'throttled') ?? assert.fail()
    assert.deepEqual(fields, { budget: 'password', wait: 30 })
    assert.deepEqual(await namesOf(guess), [])
  })

  it('an enrolment: begun, confirmed, signed in', async () => {
    await world.user('enrolling')
    const browser = await halfSignedIn(world, 'enrolling', 'enrol-totp')
    let secret = ''
    const begin = async () => {
      secret = (await browser.post('/auth/register-secret/')).body.shared_secret
    }
    assert.deepEqual(await namesOf(begin), ['enrolment-begun'])
    const confirm = () => browser.post('/auth/verify/', { otp: phoneOf(world.clock, secret).code() })
    assert.deepEqual((await namesOf(confirm)).toSorted(), ['device-confirmed', 'signed-in'])
  })

  it('a further device, its name and its end', async () => {
    const { browser } = await user('devices')
    const { body } = await browser.post('/auth/register-secret/')
    const otp = phoneOf(world.clock, body.shared_secret).code()
    assert.deepEqual(await namesOf(() => browser.post('/auth/verify/', { otp })), ['device-confirmed'])
    const path = `/auth/devices/${(await browser.get('/auth/devices/')).body.devices[0].id}/`
    assert.deepEqual(await namesOf(() => browser.patch(path, { name: 'Old' })), ['device-renamed'])
    assert.deepEqual(await namesOf(() => browser.delete(path)), ['device-removed'])
  })

  it('recovery codes: made, and one used', async () => {
    const { browser, username } = await user('recovery')
    let codes: string[] = []
    const make = async () => {
      codes = await recoveryCodes(browser)
    }
    assert.deepEqual(await namesOf(make), ['recovery-codes-made'])
    const use = () =>
      stranger(world).post('/auth/authenticate/', { username, password: PASSWORD, otp: codes[0] })
    assert.deepEqual(await namesOf(use), ['recovery-code-used', 'signed-in'])
  })

  it('sessions: ended by handle, all others ended, signed out', async () => {
    const account = await user('sessions')
    const other = await signIn(world, account)
    const { sessions } = (await other.get('/auth/sessions/')).body
    assert.deepEqual(await namesOf(() => other.delete(`/auth/sessions/${sessions[1].id}/`)), [
      'session-ended',
    ])
    assert.deepEqual(await namesOf(() => other.delete('/auth/sessions/')), ['other-sessions-ended'])
    assert.deepEqual(await namesOf(() => other.post('/auth/logout/')), ['signed-out'])
    assert.deepEqual(await namesOf(() => other.post('/auth/logout/')), [])
  })

  it('a new password: by the user, by the operator, by force', async () => {
    const { browser } = await user('passwords')
    const next = 'a new and longer password'
    const change = () => browser.post('/auth/password/', { current_password: PASSWORD, new_password: next })
    assert.deepEqual(
      (await eventsOf(change)).map((e) => [e.event, e.fields.reason]),
      [['password-changed', 'by-user']],
    )
    const set = { username: 'passwords', password: PASSWORD, mustChange: true }
    const byOperator = await eventsOf(() => setPassword(world.services, set, operator))
    assert.deepEqual(
      byOperator.map((e) => [e.event, e.fields.reason]),
      [['password-changed', 'by-operator']],
    )
    const due = (await world.enrolled('forced', { mustChangePassword: true })).browser
    const force = await eventsOf(() => due.post('/auth/password/', { new_password: next }))
    assert.deepEqual(
      force.map((e) => e.event),
      ['password-changed', 'signed-in'],
    )
    assert.equal(force[0]?.fields.reason, 'forced')
  })

  it('what the operator does', async () => {
    const make = () => world.user('operated')
    assert.deepEqual(await namesOf(make), ['user-created'])
    assert.deepEqual(await namesOf(() => giveCounterToken(world, 'operated')), ['device-added'])
    assert.deepEqual(await namesOf(() => unlockUser(world.services, 'operated', operator)), ['user-unlocked'])
    assert.deepEqual(await namesOf(() => resetSecondFactor(world.services, 'operated', operator)), [
      'second-factor-reset',
    ])
    assert.deepEqual(await namesOf(() => disableUser(world.services, 'operated', operator)), [
      'user-disabled',
    ])
    assert.deepEqual(await namesOf(() => disableUser(world.services, 'operated', operator)), [])
    assert.deepEqual(await namesOf(() => enableUser(world.services, 'operated', operator)), ['user-enabled'])
    assert.deepEqual(await namesOf(() => deleteUser(world.services, 'operated', operator)), ['user-deleted'])
    assert.deepEqual(await namesOf(() => deleteUser(world.services, 'operated', operator)), [])
  })

  it('groups: made, joined, left, deleted', async () => {
    await world.user('grouped')
    const change = (wanted: GroupChange) => namesOf(() => changeGroup(world.services, wanted, operator))
    const membership = { group: 'staff', who: 'grouped' }
    assert.deepEqual(await change({ kind: 'create', group: 'staff' }), ['group-created'])
    assert.deepEqual(await change({ kind: 'add', ...membership }), ['group-member-added'])
    assert.deepEqual(await change({ kind: 'add', ...membership }), [])
    assert.deepEqual(await change({ kind: 'remove', ...membership }), ['group-member-removed'])
    assert.deepEqual(await change({ kind: 'delete', group: 'staff' }), ['group-deleted'])
  })

  it('looking around is no event', async () => {
    const { browser } = await user('looker')
    const look = async () => {
      for (const path of [
        '/auth/session/',
        '/auth/devices/',
        '/auth/sessions/',
        '/auth/recovery-codes/',
        '/healthz',
      ]) {
        await expectStatus(browser.get(path), 200)
      }
    }
    assert.deepEqual(await namesOf(look), [])
  })
})

describe('an event', () => {
  it('tells who did it, to whom, when, from where and in which request (SEC-LOG-2)', async () => {
    const { id, phone, username } = await world.enrolled('traced')
    const browser = world.browser({ address: '198.51.100.77', userAgent: 'Agent/1' })
    const { headers } = await browser.post('/auth/authenticate/', {
      username,
      password: PASSWORD,
      otp: phone.code(),
    })
    const row = await world.services.db
      .selectFrom('audit_event')
      .selectAll()
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirstOrThrow()
    assert.deepEqual([row.event, row.actor_kind, row.actor_id, row.user_id], ['signed-in', 'user', id, id])
    assert.deepEqual([row.address, row.user_agent, row.at], ['198.51.100.77', 'Agent/1', world.clock.now()])
    assert.equal(row.request_id, headers.get('x-request-id'))
  })

  it('of a refusal has no actor: nobody proved to be anybody', async () => {
    const id = await world.user('framed')
    await stranger(world).post('/auth/login/', { username: 'framed', password: 'wrong' })
    const row = await world.services.db
      .selectFrom('audit_event')
      .selectAll()
      .where('user_id', '=', id)
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirstOrThrow()
    assert.deepEqual([row.event, row.actor_kind, row.actor_id], ['password-refused', 'anonymous', null])
  })

  it('of an unknown name holds a keyed hash of it, the same for every spelling (SEC-LOG-3)', async () => {
    const typed = ['Hunter2-oops', 'HUNTER2-OOPS', 'ｈｕｎｔｅｒ２-ｏｏｐｓ']
    const hashes = new Set<unknown>()
    for (const username of typed) {
      const [event] = await eventsOf(() => stranger(world).post('/auth/login/', { username, password: 'x' }))
      assert.equal(event?.user_id, null)
      hashes.add(event?.fields.nameHash)
    }
    assert.equal(hashes.size, 1)
    const rows = await world.services.db.selectFrom('audit_event').selectAll().execute()
    for (const name of typed)
      assert.equal(JSON.stringify(rows).toLowerCase().includes(name.toLowerCase()), false)
  })

  it('keeps what a client says of itself within bounds (SEC-LOG-4)', async () => {
    await world.user('verbose')
    const browser = world.browser({ userAgent: `\u001b[31m${'x'.repeat(5000)}`.replace('\u001b', '~') })
    await browser.post('/auth/login/', { username: 'verbose', password: 'wrong' })
    const { user_agent } = await world.services.db
      .selectFrom('audit_event')
      .select('user_agent')
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirstOrThrow()
    assert.equal(user_agent?.length, 256)
  })
})
