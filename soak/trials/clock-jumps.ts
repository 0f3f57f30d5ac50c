import { join } from 'node:path'
import { makePerson, OLD_PASSWORD, type Person } from '../../test/actions/person.ts'
import { startPostgres } from '../../test/support/postgres.ts'
import { headerOf } from '../../test/support/raw-client.ts'
import { programsPolicy } from '../support/code-shots.ts'
import { type FakeClock, fakeClock } from '../support/fake-clock.ts'
import { type Nodes, startNodes } from '../support/nodes.ts'
import { eventsOf } from '../support/race-book.ts'
import type { Random } from '../support/random.ts'
import { SlowSession } from '../support/slow-models.ts'
import type { Round, Running, Trial } from '../support/trial.ts'
import { type Hit, jsonRequest, type Lanes, openLanes, type Shot } from '../support/volley.ts'

const DAY = 86_400
const YEAR = 365 * DAY
/** What is written down is remembered for so many jumps. */
const REMEMBERED = 60

/** The clock of the machine jumps while the server answers. */
export const clockJumps: Trial = {
  id: 'FT-CLOCK-1',
  name: 'clock-jumps',
  holds:
    'When the clock jumps, to beyond 2106 and back, no code works twice, no session or wait lasts longer than its rule, and people sign in (I2, I4, I7).',
  rounds: 'jumps',
  sizes: { ci: 60, soak: 2000, release: 8000 },
  needs: [
    'jumps back',
    'jumps beyond 2038',
    'used codes sent again',
    'sessions over',
    'sessions that held',
    'sign-ins',
  ],
  patience: 60,
  async begin({ folder }) {
    const postgres = await startPostgres()
    const clock = fakeClock(folder)
    const engines: Running[] = []
    for (const name of ['SQLite', 'PostgreSQL'] as const) {
      const nodes = await startNodes({
        folder: join(folder, name),
        processes: 1,
        now: clock.now,
        env: clock.env,
        toml: programsPolicy,
        throttle: { networkLimit: 100_000, siteLimit: 1_000_000, serverLimit: 1_000_000 },
        ...(name === 'PostgreSQL' && { databaseUrl: await postgres.createDatabase('clock') }),
      })
      engines.push(await watchman(nodes, clock))
    }
    return {
      round: (number, random) => (engines[number % 2] as Running).round(number, random),
      async end() {
        const found = []
        for (const { end } of engines) found.push(await end())
        await postgres.stop()
        return { violations: found.flatMap((each) => each?.violations ?? []) }
      },
    }
  },
}

interface UsedCode {
  readonly person: Person
  readonly code: string
  readonly step: number
}

interface KnownSession {
  readonly cookie: string
  readonly model: SlowSession
}

async function watchman(nodes: Nodes, clock: FakeClock): Promise<Running> {
  const { beside, config } = nodes
  const lanes = await openLanes(nodes, { count: 16 })
  const { idleTimeout, absoluteLifetime, freshFor } = config.session
  const rules = { idleTimeout, absoluteLifetime, freshFor }
  let used: UsedCode[] = []
  let sessions: KnownSession[] = []
  /** Longest time between when a session was looked at and when that was written down here, in seconds. */
  let slack = 0
  let victim = await makePerson(beside, 'enrolled')

  return {
    async round(_number, random) {
      const counts: Record<string, number> = {}
      const violations: string[] = []
      const count = (kind: string) => {
        counts[kind] = (counts[kind] ?? 0) + 1
      }
      const to = aheadAfter(clock, used, random)
      if (to < clock.ahead) count('jumps back')
      if (clock.now() - clock.ahead + to > 2 ** 31) count('jumps beyond 2038')
      if (clock.now() - clock.ahead + to > 2 ** 32) count('jumps beyond 2106')
      const said = await jumpAmid(lanes, clock, to)
      for (const status of said.filter((each) => each.startsWith('5'))) {
        violations.push(`A request under way was answered ${status}.`)
      }
      await Promise.all([replay(), look(), guess()])
      const { fresh, person, code } = await signIn()
      if (fresh !== undefined) {
        used = [...used, { person, code, step: Math.floor(clock.now() / 30) }].slice(0 - REMEMBERED)
        sessions = [...sessions, fresh].slice(0 - REMEMBERED)
      }
      return { counts, violations } satisfies Round

      /** What was accepted once is sent again; above all where its time has come again. */
      async function replay(): Promise<void> {
        const now = Math.floor(clock.now() / 30)
        const near = used.filter(({ step }) => Math.abs(step - now) <= 2)
        const others = random.shuffled(used).slice(0, 2)
        for (const each of new Set([...near.slice(0, 6), ...others])) {
          const hit = await lanes.one(atOnce(each.person, each.code, random))
          count('used codes sent again')
          if (near.includes(each)) count('of them within their time')
          if (hit.won) violations.push(`A code of step ${each.step} worked again at step ${now}.`)
          checkWait(hit)
        }
      }

      /** Each session that is known holds as long as its rule says by the clock, and no longer. */
      async function look(): Promise<void> {
        for (const session of random.shuffled(sessions).slice(0, 4).concat(sessions.slice(-2))) {
          const { model, cookie } = session
          const asked = clock.now()
          const { said } = await lanes.one(
            shotOf('session', jsonRequest('GET', '/auth/session/', { address, cookie })),
          )
          slack = Math.max(slack, clock.now() - asked)
          const [before, after] = [asked - 2 - slack, clock.now() + 2 + slack]
          const holds = said === '200'
          // Near an edge of the rule both are right.
          if (model.holds(before) === model.holds(after) && holds !== model.holds(clock.now())) {
            violations.push(
              `A session ${holds ? 'held' : 'was over'} at ${clock.now()}, which its rule says otherwise of.`,
            )
          }
          count(holds ? 'sessions that held' : 'sessions over')
          if (holds) model.use(clock.now())
        }
      }

      /** Wrong codes beside the right password: the jumps must buy no looks beyond those that disable the device. */
      async function guess(): Promise<void> {
        for (let turn = 0; turn < 3; turn++) checkWait(await lanes.one(atOnce(victim, '00000000', random)))
        const { events, reasons } = await eventsOf(beside, victim.id)
        const looks = reasons['wrong-code'] ?? 0
        const { disableAfter } = config.throttle
        if (looks > disableAfter) violations.push(`${looks} wrong codes were looked at.`)
        if (events['devices-disabled'] !== undefined) {
          count('devices disabled')
          if (looks !== disableAfter) violations.push(`Devices were disabled after ${looks} wrong codes.`)
          victim = await makePerson(beside, 'enrolled')
        }
      }

      function checkWait({ answer, said }: Hit): void {
        const wait = Number((answer && headerOf(answer, 'retry-after')) ?? 0)
        if (wait > config.throttle.longestWait) violations.push(`A wait of ${wait} seconds was told.`)
        if (said === '429') count('waits told')
        if (said.startsWith('5')) violations.push(`The answer was ${said}.`)
      }

      /** Somebody who has not signed in yet does, at whatever time it is. */
      async function signIn() {
        const newcomer = await makePerson(beside, 'enrolled')
        const right = newcomer.code('phone')
        const hit = await lanes.one(atOnce(newcomer, right, random))
        if (!hit.won) violations.push(`Nobody signs in at ${clock.now()}: ${hit.said} ${hit.answer?.body}`)
        else count('sign-ins')
        const set = hit.answer?.headers.find(
          ([name, value]) => name === 'set-cookie' && /session=/.test(value),
        )
        const [cookie] = set?.[1].split(';') ?? []
        const fresh =
          cookie === undefined ? undefined : { cookie, model: new SlowSession(clock.now(), rules) }
        return { person: newcomer, code: right, fresh }
      }
    },
    async end() {
      lanes.close()
      await nodes.close()
      return undefined
    },
  }
}

const address = '203.0.113.30'

const shotOf = (way: string, request: Shot['request']): Shot => ({ way, request })

function atOnce({ username }: Person, otp: string, random: Random): Shot {
  const from = { address: `100.101.${random.below(256)}.${random.below(256)}` }
  const fields = { username, password: OLD_PASSWORD, otp }
  return shotOf('authenticate', jsonRequest('POST', '/auth/authenticate/', from, fields))
}

/** The clock is set while requests are under way; gives what they were answered. */
async function jumpAmid(lanes: Lanes, clock: FakeClock, to: number): Promise<string[]> {
  const login = { username: 'nobody', password: 'x' }
  // Nobody's session is used: nothing that is known of one may depend on which time it met.
  const shots = Array.from({ length: 16 }, (_, index) =>
    index % 2 === 0
      ? shotOf('page', jsonRequest('GET', '/login', { address }))
      : shotOf('login', jsonRequest('POST', '/auth/login/', { address }, login)),
  )
  const hits = lanes.fire(shots)
  await new Promise(setImmediate)
  clock.set(to)
  return (await hits).map(({ said }) => said)
}

/** Where the clock goes next: near, far, to where codes were used, and again and again back to the right time. */
function aheadAfter(clock: FakeClock, used: readonly UsedCode[], random: Random): number {
  const machine = clock.now() - clock.ahead
  const [spent] = random.shuffled(used)
  const sign = random.below(2) === 0 ? 1 : -1
  switch (random.below(9)) {
    case 0:
    case 1:
      return 0
    case 2:
      return clock.ahead + sign * (1 + random.below(3))
    case 3:
      return clock.ahead + sign * 30 * (1 + random.below(4))
    case 4:
      return clock.ahead + sign * 600 * (1 + random.below(100))
    case 5:
      return within(clock.ahead + sign * random.below(10 * YEAR), machine)
    case 6:
      // Just before and after what 32 bits hold, with a sign and without.
      return random.pick([2 ** 31, 2 ** 32]) - machine + random.below(200) - 50
    default:
      return spent === undefined ? 0 : spent.step * 30 - machine + random.below(75) - 30
  }
}

/** Not before there were authenticators, nor after 2120. */
const within = (ahead: number, machine: number) =>
  Math.min(Math.max(ahead, YEAR * 30 - machine), YEAR * 150 - machine)
