import { join } from 'node:path'
import * as otpDevices from '../../src/store/otp-devices.ts'
import { makePerson, OLD_PASSWORD, type Person } from '../../test/actions/person.ts'
import { startPostgres } from '../../test/support/postgres.ts'
import { codeShots, codeWays, giveHands, programsPolicy } from '../support/code-shots.ts'
import { type FakeClock, fakeClock } from '../support/fake-clock.ts'
import { type Nodes, startNodes } from '../support/nodes.ts'
import { eventsOf, kindsOf } from '../support/race-book.ts'
import type { Random } from '../support/random.ts'
import type { Round, Trial } from '../support/trial.ts'
import { type Hit, jsonRequest, type Lanes, openLanes, type Shot } from '../support/volley.ts'

/** Guesses that are under way at once. */
const AT_ONCE = 12
/** One device, and a step before and behind the present one. */
const HMACS_A_LOOK = 3

/** Somebody with the right password guesses codes by every way, for days. */
export const codeGuessing: Trial = {
  id: 'FT-BRUTE-2',
  name: 'code-guessing',
  holds:
    'Whoever has the password gets at most a hundred looks at a code, by all ways, sessions and spellings together; then the authenticator is off (I4).',
  rounds: 'sieges',
  sizes: { ci: 2, soak: 50, release: 200 },
  needs: ['codes looked at', 'guesses turned away', 'authenticators disabled'],
  patience: 170,
  async begin({ folder }) {
    const postgres = await startPostgres()
    const clock = fakeClock(folder)
    const engines: { readonly nodes: Nodes; readonly lanes: Lanes }[] = []
    for (const name of ['SQLite', 'PostgreSQL'] as const) {
      const nodes = await startNodes({
        folder: join(folder, name),
        processes: name === 'SQLite' ? 1 : 2,
        now: clock.now,
        env: { ...clock.env, WATCHWORD_PASSWORD_HASH_QUEUE: '1024', WATCHWORD_PASSWORD_HASH_DEADLINE: '60' },
        toml: programsPolicy,
        // Days pass in seconds, and it is the budget of codes that is to hold.
        throttle: {
          passwordFree: 100_000,
          networkLimit: 100_000,
          siteLimit: 1_000_000,
          serverLimit: 1_000_000,
        },
        ...(name === 'PostgreSQL' && { databaseUrl: await postgres.createDatabase('siege') }),
      })
      engines.push({ nodes, lanes: await openLanes(nodes, { count: AT_ONCE }) })
    }
    return {
      round: (number, random) =>
        siege({ ...(engines[number % 2] as (typeof engines)[number]), clock }, random),
      async end() {
        for (const { nodes, lanes } of engines) {
          lanes.close()
          await nodes.close()
        }
        await postgres.stop()
        return undefined
      },
    }
  },
}

interface Scene {
  readonly nodes: Nodes
  readonly lanes: Lanes
  readonly clock: FakeClock
}

async function siege({ nodes, lanes, clock }: Scene, random: Random): Promise<Round> {
  const { beside, config } = nodes
  const { disableAfter, longestWait } = config.throttle
  const person = await makePerson(beside, 'enrolled')
  // With the phone alone, and no enrolment under way, each look costs the same.
  await beside.db
    .deleteFrom('otp_device')
    .where('id', '!=', person.devices.get('phone') ?? '')
    .execute()
  const before = await nodes.computed()
  const hits: Hit[] = []
  const violations: string[] = []
  let extra = 0
  for (let wave = 0; wave < 2 * disableAfter; wave++) {
    const isDisabled = (await otpDevices.listConfirmed(beside.db, person.id)).every(
      ({ disabled }) => disabled,
    )
    // A few more when it is off: then nothing may be looked at.
    if (isDisabled && extra++ === 3) break
    hits.push(...(await lanes.fire(await waveOf(nodes, person, clock, random))))
    clock.set(clock.ahead + longestWait)
  }
  const { events, reasons } = await eventsOf(beside, person.id)
  const after = await nodes.computed()
  const looks = reasons['wrong-code'] ?? 0
  const computed = (after.hmacs - before.hmacs) / HMACS_A_LOOK
  if (computed > disableAfter) violations.push(`${computed} codes were computed; ${disableAfter} may be.`)
  if (looks !== computed)
    violations.push(`${computed} codes were computed, and the audit log tells of ${looks}.`)
  if (events['devices-disabled'] !== 1) violations.push('The authenticator was not disabled, once.')
  const won = hits.filter((hit) => hit.won)
  if (won.length > 0) violations.push(`${won.length} guesses were let in, by ${won[0]?.way}.`)
  const faults = Object.keys(kindsOf(hits)).filter((said) => said.startsWith('5'))
  if (faults.length > 0) violations.push(`Some were answered ${faults.join(', ')}.`)
  // The right one is of no use now.
  const code = person.code('phone', clock.now())
  const hands = await giveHands(beside, person, 1)
  const [late] = codeShots(
    nodes,
    { holder: { ...person, password: OLD_PASSWORD }, hands, code },
    { ways: ['verify'], count: 1, random },
  )
  if (late !== undefined && (await lanes.one(late)).won)
    violations.push('A disabled authenticator signed in.')
  return {
    counts: {
      guesses: hits.length,
      'codes looked at': looks,
      'guesses turned away': hits.length - looks,
      'authenticators disabled': events['devices-disabled'] ?? 0,
    },
    violations,
  }
}

/** By every way and from fresh logins and sessions, spelled as people and programs do. */
async function waveOf(nodes: Nodes, person: Person, clock: FakeClock, random: Random): Promise<Shot[]> {
  const hands = await giveHands(nodes.beside, person, 4)
  const holder = { ...person, password: OLD_PASSWORD }
  const right = new Set([-1, 0, 1].map((steps) => person.code('phone', clock.now() + 30 * steps)))
  return Array.from({ length: AT_ONCE }, () => {
    let digits = ''
    while (digits === '' || right.has(digits)) digits = String(random.below(1e6)).padStart(6, '0')
    const code = random.pick([
      digits,
      `${digits.slice(0, 3)} ${digits.slice(3)}`,
      `${digits.slice(0, 3)}-${digits.slice(3)}`,
      ` ${[...digits].join(' ')} `,
      `00${digits}`,
    ])
    const ways = [random.pick(codeWays)]
    const [shot] = codeShots(nodes, { holder, hands, code }, { ways, count: 1, random })
    return shot ?? { way: 'none', request: jsonRequest('GET', '/healthz', { address: '203.0.113.1' }) }
  })
}
