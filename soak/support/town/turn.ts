import { type Random, seededRandom } from '../random.ts'
import type { Round } from '../trial.ts'
import { gather, noFindings, settle } from './settle.ts'
import type { Town } from './town.ts'

/** A town serves so many rounds, then another takes its place: what grows in a town makes its checks slow. */
const ROUNDS_OF_A_TOWN = 250

/** Towns one after another. */
export interface Towns {
  /** That of a round. */
  at(number: number, random: Random): Promise<Town>
  /** The latest one. */
  last(): Town | undefined
}

export function townInTurn(found: (number: number, random: Random) => Promise<Town>): Towns {
  let town: Town | undefined
  return {
    async at(number, random) {
      if (town !== undefined && number % ROUNDS_OF_A_TOWN > 0) return town
      await town?.close()
      town = undefined
      town = await found(number, random)
      return town
    },
    last: () => town,
  }
}

/** Looks at all of a town once more, and leaves it. */
export async function lastLook(town: Town | undefined): Promise<Partial<Round> | undefined> {
  if (town === undefined) return undefined
  const found = noFindings()
  if (town.nodes.length > 0) {
    found.violations.push(...(await town.records.faults()))
    gather(found, await settle(town, town.people, seededRandom('the last look')))
  }
  await town.close()
  return { violations: found.violations }
}
