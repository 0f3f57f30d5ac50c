import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '../support/random.ts'
import { type SmallDisk, smallDisk } from '../support/small-disk.ts'
import { untilBack } from '../support/town/fault.ts'
import { mixedLoad } from '../support/town/load.ts'
import { count, type Findings, gather, settle } from '../support/town/settle.ts'
import { foundTown, type Town } from '../support/town/town.ts'
import { lastLook, townInTurn } from '../support/town/turn.ts'
import type { Running, Stage, Trial } from '../support/trial.ts'

/** `FT-DISK-1`: the disk of the database, or that of the log, fills up, and is emptied again. */
export const diskFull: Trial = {
  id: 'FT-DISK-1',
  name: 'disk-full',
  holds:
    'While the disk is full changes are answered with 503 and nothing is lost; with space again all goes on without a restart (I1, I3, I7).',
  rounds: 'full disks',
  sizes: { ci: 12, soak: 500, release: 500 },
  needs: [
    'full disks of the database',
    'full disks of the log',
    'answered with a fault',
    'acknowledged',
    'returns',
  ],
  patience: 120,
  begin: async (stage) => fullDisks(stage),
}

function fullDisks({ folder }: Stage): Running {
  let disks: { readonly data: SmallDisk; readonly log: SmallDisk } | undefined
  const towns = townInTurn(async (number, random) => {
    disks?.data.remove()
    disks?.log.remove()
    const data = smallDisk(join(folder, `data${number}`), 64)
    const log = smallDisk(join(folder, `log${number}`), 4)
    disks = { data, log }
    return foundTown({ folder: data.folder, logFolder: log.folder, people: 90, newcomers: 30, random })
  })
  return {
    async round(number, random) {
      const town = await towns.at(number, random)
      if (disks === undefined) throw new Error('A town lies on disks.')
      if (town.nodes.length === 0) await town.start()
      await town.wakeAdmin()
      const isLog = number % 3 === 2
      const found = await fillUp(town, { disk: isLog ? disks.log : disks.data, isLog, random })
      if (number % 10 === 0) found.violations.push(...(await town.records.faults()))
      return found
    },
    async end() {
      const found = await lastLook(towns.last())
      disks?.data.remove()
      disks?.log.remove()
      return found
    },
  }
}

async function fillUp(
  town: Town,
  { disk, isLog, random }: { disk: SmallDisk; isLog: boolean; random: Random },
): Promise<Findings> {
  const [node] = town.nodes
  const load = mixedLoad(town, { random, lanes: 1 + random.below(8), goesOn: true })
  await load.answered(random.below(10))
  // From nothing to what some sign-ins take.
  disk.fill(random.below(4) === 0 ? 0 : random.below(isLog ? 16_384 : 262_144))
  await delay(150 + random.below(150))
  disk.fill(0)
  await delay(100)
  disk.empty()
  const back = await untilBack(town, random)
  const found = await load.stop()
  gather(found, back)
  gather(found, await settle(town, load.touched, random))
  // Without a restart: what was in doubt is settled, and people do what they do.
  const after = mixedLoad(town, { random, lanes: 4 })
  await after.answered(6)
  const done = await after.stop()
  if ((done.counts.acknowledged ?? 0) === 0)
    found.violations.push('Nothing was done after space had returned.')
  if ((done.counts['answered with a fault'] ?? 0) > 0)
    found.violations.push('A fault outlived the full disk.')
  gather(found, done)
  if (node?.isAlive() !== true) found.violations.push('The server ended.')
  count(found.counts, isLog ? 'full disks of the log' : 'full disks of the database')
  return found
}
