import { type OneTimeValue, oneTimeValues } from '../support/one-time-values.ts'
import { eventsOf, kindsOf, waysOf } from '../support/race-book.ts'
import { openRaceStages, type RaceStage } from '../support/race-stages.ts'
import type { Random } from '../support/random.ts'
import type { Round, Trial } from '../support/trial.ts'

const AT_ONCE = 64
const kinds = Object.keys(oneTimeValues) as readonly (keyof typeof oneTimeValues)[]

/** Each thing that works once, wanted by many at once. */
export const oneTimeRace: Trial = {
  id: 'FT-RACE-2',
  name: 'one-time-race',
  holds: 'Whatever works once, wanted 64 times at once of one process and of two, works once (I2, I10).',
  rounds: 'volleys',
  sizes: { ci: 44, soak: 500 * kinds.length, release: 2000 * kinds.length },
  needs: kinds.map((kind) => `taken: ${kind}`),
  patience: 60,
  async begin(stage) {
    const stages = await openRaceStages(stage, { lanes: AT_ONCE })
    return {
      async round(number, random) {
        const kind = kinds[number % kinds.length] as (typeof kinds)[number]
        const at = Math.floor(number / kinds.length) % stages.all.length
        return volley(stages.all[at] as RaceStage, kind, random)
      },
      async end() {
        await stages.close()
        return undefined
      },
    }
  },
}

async function volley(stage: RaceStage, kind: (typeof kinds)[number], random: Random): Promise<Round> {
  const value: OneTimeValue = await oneTimeValues[kind](stage, random, AT_ONCE)
  const hits = await stage.lanes.fire(value.shots)
  const won = hits.filter((hit) => hit.won)
  const late = await Promise.all(value.shots.slice(0, 2).map((shot) => stage.lanes.one(shot)))

  const violations: string[] = []
  const about = `${kind} on ${stage.name}`
  if (value.allPass === true ? won.length === 0 : won.length !== 1) {
    violations.push(`${about}: it worked ${won.length} times: ${waysOf(won)}.`)
  }
  if (value.allPass !== true && late.some((hit) => hit.won))
    violations.push(`${about}: it worked again later.`)
  const refusals = kindsOf(hits.filter((hit) => !hit.won))
  const unexpected = Object.keys(refusals).filter((said) => !value.refusals.includes(said))
  if (unexpected.length > 0) violations.push(`${about}: others were answered ${unexpected.join(', ')}.`)
  if (value.person !== undefined) {
    const { events } = await eventsOf(stage.nodes.beside, value.person.id)
    for (const event of value.events.filter((each) => events[each] !== 1)) {
      violations.push(`${about}: the audit log has ${events[event] ?? 0} times ${event}.`)
    }
  }
  const taken = won.length > 0 ? 1 : 0
  return { counts: { requests: hits.length, [`taken: ${kind}`]: taken }, violations }
}
