import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setImmediate as nextRound } from 'node:timers/promises'
import { disableUser } from '../../src/actions/disable-user.ts'
import { makeAdmin, open } from '../support/admin.ts'
import { locationOf } from '../support/forms.ts'
import { type Browser, type Enrolled, startWorld, type World } from '../world.ts'

/** Ten parts of an export, and one event more. */
const EVENTS = 5001

describe('an export of the audit log', () => {
  let world: World
  let admin: Enrolled

  before(async () => {
    world = await startWorld()
    admin = await makeAdmin(world)
    const { db, newId } = world.services
    const at = world.clock.now() - 3600
    const rows = Array.from({ length: EVENTS }, () => ({
      ...{ id: newId(), at, event: 'keys-pruned', outcome: 'success' as const },
      ...{ actor_kind: 'system' as const, actor_id: null, user_id: null, address: null, user_agent: null },
      ...{ request_id: null, fields: '{"keyIds":["k"]}' },
    }))
    for (let i = 0; i < rows.length; i += 1000) {
      await db
        .insertInto('audit_event')
        .values(rows.slice(i, i + 1000))
        .execute()
    }
  })
  after(() => world.close())

  /** Begins an export whose parts come as they are read. */
  async function begin({ cookies }: Browser, format = 'jsonl') {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const url = `https://auth.example.com/admin/audit.${format}?event=keys-pruned`
    const peer = { kind: 'tcp', address: '203.0.113.7' } as const
    const { status, body } = await world.app.request(url, { headers: { cookie } }, { peer })
    assert.equal(status, 200)
    assert.ok(body)
    return body.getReader()
  }

  it('lets requests be answered that come between two of its parts (SEC-RATE-8)', async () => {
    const order: string[] = []
    const reader = await begin(admin.browser)
    const decoder = new TextDecoder()
    const reading = async () => {
      let lines = 0
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return lines
        order.push('part')
        lines += decoder.decode(value).split('\n').length - 1
      }
    }
    // As requests come: when whatever is under way lets the program look at its connections.
    const asking = async () => {
      await nextRound()
      assert.equal((await world.browser().get('/login')).status, 200)
      order.push('login')
    }
    const [lines] = await Promise.all([reading(), asking()])
    assert.equal(lines, EVENTS)
    assert.equal(order.filter((each) => each === 'part').length, 11)
    assert.ok(order.indexOf('login') < order.lastIndexOf('part'), order.join(', '))
  })

  it('breaks off for an administrator who is disabled meanwhile (SEC-AZ-4)', async () => {
    const leaving = await makeAdmin(world, 'leaving')
    const reader = await begin(leaving.browser)
    assert.equal((await reader.read()).done, false)
    const outcome = await disableUser(world.services, { id: leaving.id }, { operator: 'test' })
    assert.equal(outcome.kind, 'disabled')
    await assert.rejects(reader.read())
    await assert.rejects(reader.read())
    const again = await leaving.browser.get('/admin/audit.jsonl')
    assert.match(locationOf(again) ?? '', /^\/login\?/)
  })

  it('breaks off for an administrator who signs out meanwhile', async () => {
    const leaving = await makeAdmin(world, 'signing-out')
    const reader = await begin(leaving.browser, 'csv')
    assert.equal((await reader.read()).done, false)
    assert.equal((await leaving.browser.post('/auth/logout/')).status, 200)
    await assert.rejects(reader.read())
  })

  it('is written down with who took it away and how (SEC-LOG-1)', async () => {
    const { db } = world.services
    const noted = () =>
      db
        .selectFrom('audit_event')
        .select(['actor_kind', 'actor_id', 'address', 'user_id', 'outcome', 'fields'])
        .where('event', '=', 'audit-exported')
        .orderBy('id')
        .execute()
    const known = (await noted()).length
    await open(admin.browser, '/admin/audit')
    assert.equal((await noted()).length, known)
    for (const format of ['jsonl', 'csv']) await open(admin.browser, `/admin/audit.${format}?user=nobody`)
    const events = (await noted()).slice(known)
    assert.deepEqual(
      events.map(({ fields }) => JSON.parse(fields)),
      [{ format: 'jsonl' }, { format: 'csv' }],
    )
    for (const { actor_kind, actor_id, address, outcome } of events) {
      assert.deepEqual([actor_kind, actor_id, address, outcome], ['user', admin.id, '203.0.113.7', 'success'])
    }
  })
})
