import { join } from 'node:path'
import { addCounts } from '../support/history.ts'
import { type Random, seededRandom } from '../support/random.ts'
import { mixedLoad } from '../support/town/load.ts'
import { count, noFindings, settle } from '../support/town/settle.ts'
import { foundTown, type Town } from '../support/town/town.ts'
import type { Round, Running, Stage, Trial } from '../support/trial.ts'

/** A town gets so many kills, then another takes its place: what grows in a town makes its checks slow. */
const KILLS_OF_A_TOWN = 250

/** `FT-CRASH-1`: the server is killed in the midst of everything, on SQLite. */
export const crashSqlite: Trial = {
  id: 'FT-CRASH-1',
  name: 'crash-sqlite',
  holds:
    'Killed at any moment, the server has kept what it acknowledged, and what it did not wholly or not at all; no code works twice.',
  rounds: 'kills',
  sizes: { ci: 60, soak: 10_000, release: 10_000 },
  needs: [
    'kills in mid-request',
    'acknowledged',
    'codes sent again',
    'ended sessions',
    'not done',
    'done untold',
  ],
  patience: 120,
  begin: async (stage) => kills(stage),
}

function kills({ folder, size }: Stage): Running {
  let town: Town | undefined
  const settled = async (random: Random): Promise<Town> => {
    town = await foundTown({
      folder: join(folder, `town-${random.below(1e9)}`),
      people: 90,
      newcomers: 30,
      random,
    })
    return town
  }
  return {
    async round(number, random): Promise<Round> {
      const isNew = town === undefined || number % KILLS_OF_A_TOWN === 0
      if (isNew) await town?.close()
      const here = isNew || town === undefined ? await settled(random) : town
      // Some at the real cost of a hash, by the real launcher: there is more time between the steps.
      const isReal = size === 'ci' ? number % 10 === 9 : number % 100 === 99
      if (here.nodes.length === 0) await here.start()
      await here.wakeAdmin()
      const load = mixedLoad(here, { random, lanes: 1 + random.below(10) })
      await load.answered(random.below(isReal ? 15 : 60))
      await sleepLess(random)
      const [node] = here.nodes
      if (node !== undefined) await here.kill(node)
      const found = await load.stop()
      await here.start(isReal ? 'launched' : 'least')
      const settling = await settle(here, load.touched, random)
      addCounts(found.counts, settling.counts)
      found.violations.push(...settling.violations)
      count(found.counts, 'kills')
      if ((found.counts['answers lost'] ?? 0) > 0) count(found.counts, 'kills in mid-request')
      if (number % 10 === 0) {
        found.violations.push(...(await here.records.faults()))
        count(found.counts, 'checks of the whole file')
      }
      return found
    },
    async end() {
      if (town === undefined) return undefined
      const found = noFindings()
      found.violations.push(...(await town.records.faults()))
      const all = await settle(town, town.people, seededRandom('end'))
      found.violations.push(...all.violations)
      await town.close()
      return found
    },
  }
}

/** Up to eight milliseconds, so that a kill falls anywhere between two answers. */
function sleepLess(random: Random): Promise<void> {
  const until = performance.now() + random.below(8000) / 1000
  return new Promise((resolve) => {
    const turn = () => (performance.now() >= until ? resolve() : setImmediate(turn))
    turn()
  })
}
