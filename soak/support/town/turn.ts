import { join } from 'node:path'
import type { Postgres } from '../../../test/support/postgres.ts'
import { type Random, seededRandom } from '../random.ts'
import type { Round } from '../trial.ts'
import { gather, noFindings, settle } from './settle.ts'
import { foundTown, type Town } from './town.ts'

/** A town serves so many rounds, then another takes its place: what grows in a town makes its checks slow. */
const ROUNDS_OF_A_TOWN = 250

/** Towns one after another. */
export interface Towns {
  /** That of a round. */
  at(number: number, random: Random): Promise<Town>
  /** The same, with a server at least, and an administrator who is signed in. */
  awake(number: number, random: Random): Promise<Town>
  /** The latest one. */
  last(): Town | undefined
}

export function townInTurn(found: (number: number, random: Random) => Promise<Town>): Towns {
  let town: Town | undefined
  const at: Towns['at'] = async (number, random) => {
    if (town !== undefined && number % ROUNDS_OF_A_TOWN > 0) return town
    await town?.close()
    town = undefined
    town = await found(number, random)
    return town
  }
  return {
    at,
    async awake(number, random) {
      const here = await at(number, random)
      if (here.nodes.length === 0) await here.start()
      await here.wakeAdmin()
      return here
    },
    last: () => town,
  }
}

/** Towns of 90 people, to whom 30 more may be invited, each on a file of its own in the folder. */
export const townsOnSqlite = (folder: string): Towns =>
  townInTurn((number, random) =>
    foundTown({ folder: join(folder, `town${number}`), people: 90, newcomers: 30, random }),
  )

/** The same, each on a database of its own. */
export const townsOnPostgres = (folder: string, postgres: Postgres): Towns =>
  townInTurn(async (number, random) => {
    const name = `town${number}`
    const databaseUrl = await postgres.createDatabase(name)
    return foundTown({ folder: join(folder, name), databaseUrl, people: 90, newcomers: 30, random })
  })

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
