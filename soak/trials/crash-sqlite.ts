import type { Random } from '../support/random.ts'
import { mixedLoad } from '../support/town/load.ts'
import { count, gather, settle } from '../support/town/settle.ts'
import { lastLook, townsOnSqlite } from '../support/town/turn.ts'
import type { Running, Stage, Trial } from '../support/trial.ts'

/** `FT-CRASH-1`: the server is killed in the midst of everything, on SQLite. */
export const crashSqlite: Trial = {
  id: 'FT-CRASH-1',
  name: 'crash-sqlite',
  holds:
    'Killed at any moment, the server has kept what it acknowledged, and the rest wholly or not at all; no code works twice (I1, I2, I5, I10, I11).',
  rounds: 'kills',
  sizes: { ci: 40, soak: 10_000, release: 10_000 },
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
  const towns = townsOnSqlite(folder)
  return {
    async round(number, random) {
      const town = await towns.awake(number, random)
      // Some at the real cost of a hash, by the real launcher: there is more time between the steps.
      const isReal = size === 'ci' ? number % 10 === 9 : number % 100 === 99
      const load = mixedLoad(town, { random, lanes: 1 + random.below(10) })
      await load.answered(random.below(isReal ? 15 : 30))
      await sleepLess(random)
      for (const node of [...town.nodes]) await town.kill(node)
      const found = await load.stop()
      await town.start(isReal ? 'launched' : 'least')
      gather(found, await settle(town, load.touched, random))
      count(found.counts, 'kills')
      if ((found.counts['answers lost'] ?? 0) > 0) count(found.counts, 'kills in mid-request')
      if (number % 10 === 0) {
        found.violations.push(...(await town.records.faults()))
        count(found.counts, 'checks of the whole file')
      }
      return found
    },
    end: () => lastLook(towns.last()),
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
