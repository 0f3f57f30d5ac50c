import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import http from 'node:http'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { changeGroup } from '../../src/actions/change-group.ts'
import { disableUser } from '../../src/actions/disable-user.ts'
import { call, type LeasedPerson, type LeasedWorld, startLeased } from '../support/leased.ts'
import { PASSWORD } from '../world.ts'

/** How often somebody loses standing; the release runs 2,000. */
const ROUNDS = Number(process.env.REVOCATION_ROUNDS ?? 20)

const REQUESTS_A_SECOND = 200
const operator = { operator: 'test' }

interface Sent {
  readonly what: string
  readonly at: number
  readonly served: boolean
}

describe('whoever loses standing while many requests use it (FT-REV-1)', () => {
  let world: LeasedWorld
  let admin: LeasedPerson
  const agent = new http.Agent({ keepAlive: true, maxSockets: 32 })
  before(async () => {
    world = await startLeased('[policies.asking]\nlease = 0\n', 'two-factor')
    admin = await world.somebody({ isSuperuser: true })
  })
  after(async () => {
    agent.destroy()
    await world?.close()
  })

  const revocations: readonly (readonly [string, (person: LeasedPerson) => Promise<unknown>])[] = [
    ['signing out', ({ own }) => done('POST', '/auth/logout/', own)],
    [
      'ending the session elsewhere',
      ({ sessionId, elsewhere }) => done('DELETE', `/auth/sessions/${sessionId}/`, elsewhere),
    ],
    [
      'another password',
      ({ elsewhere }) =>
        done('POST', '/auth/password/', elsewhere, {
          current_password: PASSWORD,
          new_password: `${PASSWORD}!`,
        }),
    ],
    [
      'an administrator who disables',
      ({ id }) => done('POST', `/auth/admin/users/${id}/disable/`, admin.own),
    ],
    [
      'an administrator who ends sessions',
      ({ id }) => done('DELETE', `/auth/admin/users/${id}/sessions/`, admin.own),
    ],
    ['another process that disables', ({ username }) => disableUser(world.beside, username, operator)],
    [
      'another process that takes a group away',
      ({ username: who }) => changeGroup(world.beside, { kind: 'remove', group: 'staff', who }, operator),
    ],
  ]

  it(`is served nothing that was asked after the answer, in ${ROUNDS} rounds`, {
    timeout: 60_000 + ROUNDS * 5000,
  }, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const [what, revoke] = revocations[round % revocations.length] ?? assert.fail()
      const person = await world.somebody({ group: 'staff' })
      // What a group opened is closed with it; the rest stays open.
      const places = what.includes('group') ? ['staff'] : ['leased', 'staff', 'asked', 'page', 'call']
      await untilLeased(person)
      const load = startLoad(person)
      await until(() => served(load.sent).size === 5)
      await revoke(person)
      const revokedAt = performance.now()
      await until(() =>
        places.every(
          (name) => load.sent.filter((each) => each.what === name && each.at > revokedAt).length >= 5,
        ),
      )
      await load.stop()
      const late = load.sent.filter(
        ({ what: name, at, served: isServed }) => isServed && at > revokedAt && places.includes(name),
      )
      assert.deepEqual(late, [], `round ${round}: ${what}`)
      assert.ok(!existsSync(person.leaseOf('group-staff')))
    }
  })

  const addresses = (): Readonly<Record<string, string>> => ({
    leased: `${world.site}/leased/`,
    staff: `${world.site}/staff/`,
    asked: `${world.site}/asked/`,
    page: `${world.pages}/account`,
    call: `${world.pages}/auth/session/`,
  })

  /** 200 requests a second of all five kinds, as they are due, whatever became of those before. */
  function startLoad({ own, there }: LeasedPerson) {
    const sent: Sent[] = []
    const underWay: Promise<void>[] = []
    const all = Object.entries(addresses())
    const began = performance.now()
    let count = 0
    const timer = setInterval(() => {
      for (; count < ((performance.now() - began) / 1000) * REQUESTS_A_SECOND; count++) {
        const [what = '', address = ''] = all[count % all.length] ?? []
        const cookie = address.startsWith(world.site) ? there : own
        const at = performance.now()
        underWay.push(
          call(address, { cookie, agent }).then(({ status }) => {
            sent.push({ what, at, served: status === 200 })
          }),
        )
      }
    }, 2)
    return {
      sent,
      async stop() {
        clearInterval(timer)
        await Promise.all(underWay)
      },
    }
  }

  const served = (sent: readonly Sent[]) =>
    new Set(sent.filter(({ served: isServed }) => isServed).map(({ what }) => what))

  async function untilLeased(person: LeasedPerson): Promise<void> {
    for (const [path, policy] of [
      ['leased', 'two-factor'],
      ['staff', 'group-staff'],
    ] as const) {
      await until(async () => {
        assert.equal((await call(`${world.site}/${path}/`, { cookie: person.there })).status, 200)
        return existsSync(person.leaseOf(policy))
      })
    }
  }

  async function done(method: string, path: string, cookie: string, fields?: object): Promise<void> {
    const { status, body } = await call(`${world.pages}${path}`, {
      ...{ method, cookie, accept: 'application/json' },
      ...(fields !== undefined && { fields }),
    })
    assert.ok(status >= 200 && status < 300, `${path}: ${status} ${body}`)
  }
})

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000
  while (!(await condition())) {
    assert.ok(performance.now() < deadline, 'it never came to that')
    await delay(10)
  }
}
