import { makePerson, OLD_PASSWORD } from '../../test/actions/person.ts'
import { codeShots, codeWays, giveHands } from '../support/code-shots.ts'
import { eventsOf, kindsOf, waysOf } from '../support/race-book.ts'
import { openRaceStages, type RaceStage } from '../support/race-stages.ts'
import type { Random } from '../support/random.ts'
import type { Round, Trial } from '../support/trial.ts'

const AT_ONCE = 64

/** One code of an authenticator app, wanted by many at once. */
export const codeRace: Trial = {
  id: 'FT-RACE-1',
  name: 'code-race',
  holds:
    'One code, sent 64 times at once by every way there is, to one process and two, signs in once (I2, I10).',
  rounds: 'volleys',
  sizes: { ci: 40, soak: 4000, release: 8000 },
  needs: ['sign-ins', 'repeats refused', 'volleys on SQLite', 'volleys on PostgreSQL and two processes'],
  patience: 60,
  async begin(stage) {
    const stages = await openRaceStages(stage, { lanes: AT_ONCE })
    return {
      round: (number, random) => volley(stages.all[number % stages.all.length] as RaceStage, random),
      async end() {
        await stages.close()
        return undefined
      },
    }
  },
}

async function volley({ name, nodes, lanes }: RaceStage, random: Random): Promise<Round> {
  const { beside } = nodes
  const person = await makePerson(beside, 'enrolled')
  const holder = { ...person, password: OLD_PASSWORD }
  const hands = await giveHands(beside, person, 8)
  const code = person.code(random.pick(['phone', 'token']))
  const ways = random.pick(mixtures)
  const shots = codeShots(nodes, { holder, hands, code }, { ways, count: AT_ONCE, random })
  const hits = await lanes.fire(shots)
  const late = []
  for (const shot of shots.slice(0, 3)) late.push(await lanes.one(shot))

  const violations: string[] = []
  const won = hits.filter((hit) => hit.won)
  if (won.length !== 1) violations.push(`${won.length} were let in on ${name}: ${waysOf(won)}.`)
  const refusals = kindsOf(hits.filter((hit) => !hit.won))
  const unexpected = Object.keys(refusals).filter((said) => !refused.has(said))
  if (unexpected.length > 0) violations.push(`Others were answered ${unexpected.join(', ')} on ${name}.`)
  for (const { way } of late.filter((hit) => hit.won && hit.way !== 'basic')) {
    violations.push(`The code was taken once more later, by ${way}.`)
  }
  const { events, reasons } = await eventsOf(beside, person.id)
  const told = (events['signed-in'] ?? 0) + (events['code-window-opened'] ?? 0)
  if (told !== 1) violations.push(`The audit log tells of ${told} sign-ins.`)
  return {
    counts: {
      submissions: hits.length,
      'sign-ins': won.length,
      'repeats refused': reasons.repeated ?? 0,
      [`volleys on ${name}`]: 1,
      ...Object.fromEntries(won.map(({ way }) => [`won by ${way.replace(' beside', '')}`, 1])),
    },
    violations,
  }
}

/** Ways with a password to hash come later than those without, and would never win beside them. */
const mixtures = [
  codeWays,
  ['authenticate', 'page at once', 'basic', 'step-up'],
  ['basic', 'step-up'],
  ['basic'],
  ['step-up', 'page at once'],
] as const

/** Wrong or used; on pages, where a program is asked, and beside the server. A step-up whose session ended with what won is sent to sign in: 303. */
const refused = new Set(['400', '422', '401', '303', 'wrong-code', 'not-awaited', 'sign-in'])
