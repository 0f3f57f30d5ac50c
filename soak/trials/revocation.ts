import { existsSync } from 'node:fs'
import http from 'node:http'
import { changeGroup } from '../../src/actions/change-group.ts'
import { disableUser } from '../../src/actions/disable-user.ts'
import { call, type LeasedPerson, type LeasedWorld, startLeased } from '../../test/support/leased.ts'
import { until } from '../../test/support/until.ts'
import { PASSWORD } from '../../test/world.ts'
import type { Round, Trial } from '../support/trial.ts'

const REQUESTS_A_SECOND = 200
/** No more at once: on slow cores they would wait for each other for ever. */
const AT_ONCE = 64
const operator = { operator: 'trial' }

interface Sent {
  readonly what: string
  readonly at: number
  readonly served: boolean
}

/** Somebody loses standing while many requests use it. */
export const revocation: Trial = {
  id: 'FT-REV-1',
  name: 'revocation',
  holds: `Whoever loses standing amid ${REQUESTS_A_SECOND} requests a second is served nothing that was asked after the answer (I5).`,
  rounds: 'revocations',
  sizes: { ci: 14, soak: 2000, release: 4000 },
  needs: [
    'served before: leased',
    'served before: asked',
    'served before: page',
    'served before: call',
    'refused after',
  ],
  patience: 120,
  async begin() {
    const world = await startLeased('[policies.asking]\nlease = 0\n', 'two-factor')
    const agent = new http.Agent({ keepAlive: true, maxSockets: 32 })
    const admin = await world.somebody({ isSuperuser: true })
    // An administrator's proof is fresh for minutes, and a run may last for hours.
    let madeAt = performance.now()
    let current = admin
    return {
      async round(number) {
        if (performance.now() - madeAt > 120_000) {
          current = await world.somebody({ isSuperuser: true })
          madeAt = performance.now()
        }
        return lose({ world, admin: current, agent }, number)
      },
      async end() {
        agent.destroy()
        await world.close()
        return undefined
      },
    }
  },
}

interface Scene {
  readonly world: LeasedWorld
  readonly admin: LeasedPerson
  readonly agent: http.Agent
}

type Revocation = (scene: Scene, person: LeasedPerson) => Promise<unknown>

const revocations: readonly (readonly [string, Revocation])[] = [
  ['signing out', ({ world }, { own }) => done(world, 'POST', '/auth/logout/', own)],
  [
    'ending the session elsewhere',
    ({ world }, { sessionId, elsewhere }) => done(world, 'DELETE', `/auth/sessions/${sessionId}/`, elsewhere),
  ],
  [
    'another password',
    ({ world }, { elsewhere }) =>
      done(world, 'POST', '/auth/password/', elsewhere, {
        current_password: PASSWORD,
        new_password: `${PASSWORD}!`,
      }),
  ],
  [
    'an administrator who disables',
    ({ world, admin }, { id }) => done(world, 'POST', `/auth/admin/users/${id}/disable/`, admin.own),
  ],
  [
    'an administrator who ends sessions',
    ({ world, admin }, { id }) => done(world, 'DELETE', `/auth/admin/users/${id}/sessions/`, admin.own),
  ],
  [
    'another process that disables',
    ({ world }, { username }) => disableUser(world.beside, username, operator),
  ],
  [
    'another process that takes a group away',
    ({ world }, { username: who }) =>
      changeGroup(world.beside, { kind: 'remove', group: 'staff', who }, operator),
  ],
]

async function lose(scene: Scene, number: number): Promise<Round> {
  const { world } = scene
  const [what, revoke] = revocations[number % revocations.length] as (typeof revocations)[number]
  const person = await world.somebody({ group: 'staff' })
  // What a group opened is closed with it; the rest stays open.
  const places = what.includes('group') ? ['staff'] : ['leased', 'staff', 'asked', 'page', 'call']
  await untilLeased(world, person)
  const load = startLoad(scene, person)
  const kindsServed = () => new Set(load.sent.filter((each) => each.served).map((each) => each.what))
  await until(() => kindsServed().size === 5, 'all five kinds served')
  await revoke(scene, person)
  const revokedAt = performance.now()
  const after = () => load.sent.filter(({ what: name, at }) => at > revokedAt && places.includes(name))
  await until(
    () => places.every((name) => after().filter((each) => each.what === name).length >= 5),
    'asked after it',
  )
  await load.stop()

  const counts: Record<string, number> = {}
  const count = (kind: string) => {
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  for (const { what: name, at, served } of load.sent) {
    if (served && at < revokedAt) count(`served before: ${name}`)
  }
  for (const { served } of after()) count(served ? 'served after' : 'refused after')
  const late = after().filter(({ served }) => served)
  const violations = late.map(({ what: name, at }) => {
    return `${name} was served ${Math.round(at - revokedAt)} ms after ${what}.`
  })
  if (existsSync(person.leaseOf('group-staff'))) violations.push(`A lease was left by ${what}.`)
  return { counts, violations: violations.slice(0, 3) }
}

/** 200 requests a second of all five kinds, as they are due; on cores that cannot answer so many, as many as they can. */
function startLoad({ world, agent }: Scene, { own, there }: LeasedPerson) {
  const addresses = Object.entries({
    leased: `${world.site}/leased/`,
    staff: `${world.site}/staff/`,
    asked: `${world.site}/asked/`,
    page: `${world.pages}/account`,
    call: `${world.pages}/auth/session/`,
  })
  const sent: Sent[] = []
  const underWay: Promise<void>[] = []
  const began = performance.now()
  let [count, open] = [0, 0]
  const timer = setInterval(() => {
    const due = ((performance.now() - began) / 1000) * REQUESTS_A_SECOND
    for (; count < due && open < AT_ONCE; count++) {
      const [what = '', address = ''] = addresses[count % addresses.length] ?? []
      const cookie = address.startsWith(world.site) ? there : own
      const at = performance.now()
      open++
      underWay.push(
        call(address, { cookie, agent }).then(({ status }) => {
          open--
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

async function untilLeased(world: LeasedWorld, person: LeasedPerson): Promise<void> {
  for (const [path, policy] of [
    ['leased', 'two-factor'],
    ['staff', 'group-staff'],
  ] as const) {
    await until(async () => {
      const { status } = await call(`${world.site}/${path}/`, { cookie: person.there })
      if (status !== 200) throw new Error(`Whoever may enter ${path} was answered ${status}.`)
      return existsSync(person.leaseOf(policy))
    }, `a lease for ${path}`)
  }
}

async function done(
  world: LeasedWorld,
  method: string,
  path: string,
  cookie: string,
  fields?: object,
): Promise<void> {
  const { status, body } = await call(`${world.pages}${path}`, {
    ...{ method, cookie, accept: 'application/json' },
    ...(fields !== undefined && { fields }),
  })
  if (status < 200 || status >= 300) throw new Error(`${path}: ${status} ${body}`)
}
