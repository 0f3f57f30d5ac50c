import { setTimeout as delay } from 'node:timers/promises'
import { type Postgres, startPostgres } from '../../test/support/postgres.ts'
import type { Random } from '../support/random.ts'
import { probeClosed, untilBack } from '../support/town/fault.ts'
import { mixedLoad } from '../support/town/load.ts'
import { type Findings, gather, settle } from '../support/town/settle.ts'
import type { Town } from '../support/town/town.ts'
import { lastLook, townsOnPostgres } from '../support/town/turn.ts'
import type { Running, Stage, Trial } from '../support/trial.ts'

/** `FT-CRASH-2`: the database, or the server, is killed in the midst of everything, on PostgreSQL. */
export const crashPostgres: Trial = {
  id: 'FT-CRASH-2',
  name: 'crash-postgres',
  holds:
    'Database or server killed: nobody is let in meanwhile, what was acknowledged is kept, and service returns by itself (I1, I2, I3, I7).',
  rounds: 'kills',
  sizes: { ci: 16, soak: 2000, release: 2000 },
  needs: [
    'kills of the server',
    'kills of the database',
    'acknowledged',
    'codes sent again',
    'refused while it was down',
    'not done',
  ],
  patience: 120,
  begin: kills,
}

async function kills({ folder, size }: Stage): Promise<Running> {
  const postgres = await startPostgres()
  const towns = townsOnPostgres(folder, postgres)
  return {
    async round(number, random) {
      const town = await towns.awake(number, random)
      const isReal = size === 'ci' ? number === 1 : number % 100 === 99
      const found = await (number % 2 === 0
        ? killDatabase(town, postgres, random)
        : killServer(town, isReal ? 'launched' : 'least', random))
      if (number % 10 === 0) found.violations.push(...(await town.records.faults()))
      return found
    },
    async end() {
      const found = await lastLook(towns.last())
      await postgres.stop()
      return found
    },
  }
}

async function killServer(town: Town, how: 'launched' | 'least', random: Random): Promise<Findings> {
  const load = mixedLoad(town, { random, lanes: 1 + random.below(10) })
  await load.answered(random.below(40))
  await delay(random.below(10))
  for (const node of [...town.nodes]) await town.kill(node)
  const found = await load.stop()
  await town.start(how)
  gather(found, await settle(town, load.touched, random))
  gather(found, { counts: { 'kills of the server': 1 }, violations: [] })
  return found
}

async function killDatabase(town: Town, postgres: Postgres, random: Random): Promise<Findings> {
  const load = mixedLoad(town, { random, lanes: 1 + random.below(10), goesOn: true })
  await load.answered(random.below(40))
  await delay(random.below(10))
  await (random.below(2) === 0 ? postgres.kill() : postgres.crash())
  const closed = await probeClosed(town, random)
  await postgres.start()
  const back = await untilBack(town, random)
  const found = await load.stop()
  gather(found, closed)
  gather(found, back)
  gather(found, await settle(town, load.touched, random))
  gather(found, { counts: { 'kills of the database': 1 }, violations: [] })
  return found
}
