import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { codeKey } from '../../src/actions/budgets.ts'
import { purgeExpired } from '../../src/actions/purge-expired.ts'
import { purgeInTurn } from '../../src/actions/purge-in-turn.ts'
import { startWorld, type World } from '../world.ts'

const DAY = 24 * 3600

describe('housekeeping', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())

  it('removes what has ended and keeps counts of wrong codes, which are never forgotten (SEC-OTP-6)', async () => {
    const { browser, id } = await world.enrolled('alice')
    await browser.clone().post('/auth/login/', { username: 'nobody', password: 'guess' })
    const login = world.browser()
    await login.post('/auth/login/', { username: 'alice', password: 'correct horse battery staple' })
    await login.post('/auth/verify/', { otp: '000000' })

    world.clock.advance(3 * DAY)
    const purged = await purgeExpired(world.services)
    assert.deepEqual(
      { ...purged, attempts: purged.attempts > 0 },
      {
        ...{ logins: 1, sessions: 1, tickets: 0, enrolments: 0, invitations: 0, resetRequests: 0 },
        ...{
          browsers: 0,
          appPasswords: 0,
          signingKeys: 0,
          codeWindows: 0,
          attempts: true,
          auditMonths: 0,
          events: 0,
        },
      },
    )
    const left = await world.services.db.selectFrom('attempts').select('key').execute()
    assert.deepEqual(
      left.map(({ key }) => key),
      [codeKey(id)],
    )
  })

  it('removes thousands of rows in batches', async () => {
    const { db } = world.services
    const row = { count: 1, since: 0, blocked_until: 0 }
    const keys = Array.from({ length: 1200 }, (_, index) => ({ key: `network:${index}`, ...row }))
    await db.insertInto('attempts').values(keys).execute()
    assert.equal((await purgeExpired(world.services)).attempts, 1200)
  })

  it('is done by one of several nodes every ten minutes', async () => {
    const nodes = Array.from({ length: 3 }, () => purgeInTurn(world.services))
    assert.equal((await Promise.all(nodes)).filter((purged) => purged !== undefined).length, 1)
    world.clock.advance(5 * 60)
    assert.equal(await purgeInTurn(world.services), undefined)
    world.clock.advance(5 * 60)
    assert.notEqual(await purgeInTurn(world.services), undefined)
  })

  it('takes one day of the audit log at a time, so that a clock years ahead does not empty it (FT-CLOCK-1)', async () => {
    const { services, clock } = world
    const started = clock.now()
    for (let day = 0; day < 5; day++) {
      await world.user(`user-of-day-${day}`)
      clock.advance(DAY)
    }
    const events = (await world.audit()).length
    clock.set(started + 10 * 365 * DAY)
    const purged = await purgeExpired(services)
    clock.set(started + 5 * DAY)
    const left = (await world.audit()).length
    assert.equal(left, events - purged.events)
    assert.ok(left >= 4, `${left} of ${events} are left`)
    assert.equal((await purgeExpired(services)).events, 0)
  })

  it('takes all of the audit log that is over in the end, a day with each purge', async () => {
    const { services, clock } = world
    clock.advance(10 * 365 * DAY)
    const before = (await world.audit()).length
    let removed = 0
    for (let purges = 0; purges < 10; purges++) removed += (await purgeExpired(services)).events
    assert.equal(removed, before)
  })
})
