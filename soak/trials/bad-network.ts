import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type FarTown, failOnce, foundFarTown, spans } from '../support/bad-network.ts'
import { type Random, seededRandom } from '../support/random.ts'
import { codeAtOnce, readyPeople } from '../support/town/at-once.ts'
import { untilBack } from '../support/town/fault.ts'
import { mixedLoad } from '../support/town/load.ts'
import { count, type Findings, gather, noFindings, settle } from '../support/town/settle.ts'
import { differences } from '../support/town/world.ts'
import type { Round, Stage, Trial } from '../support/trial.ts'

/** So many fail one after another before the books are looked at. */
const FAULTS = 10

/** Networks that delay, cut, lose and fall silent, wherever there is one. */
export const badNetwork: Trial = {
  id: 'FT-NET-1',
  name: 'bad-network',
  holds:
    'Whatever a network does, between browser and Apache, Apache and server, server and database: no code works twice, deeds are whole or not done, service returns (I1, I2, I7).',
  rounds: `times ${FAULTS} faults of a network`,
  sizes: { ci: 3, soak: 20_000 / FAULTS, release: 20_000 / FAULTS },
  needs: [
    ...spans,
    'acknowledged',
    'answers lost',
    'codes sent again',
    'returns',
    'codes that came several times',
  ],
  patience: 180,
  begin,
}

async function begin({ folder }: Stage) {
  const far = await foundFarTown(join(folder, 'town'), seededRandom('bad-network', folder))
  return {
    round: (number: number, random: Random) => oneRound(far, number, random),
    async end() {
      const violations = await far.town.records.faults()
      await far.close()
      return { violations }
    },
  }
}

async function oneRound({ town, networks }: FarTown, number: number, random: Random): Promise<Round> {
  await town.wakeAdmin()
  const load = mixedLoad(town, { random, lanes: 1 + random.below(8), goesOn: true })
  const found = noFindings()
  for (let fault = 0; fault < FAULTS; fault++) {
    const span = spans[(number * FAULTS + fault) % spans.length] ?? spans[0]
    await load.answered(random.below(10))
    const failed = await failOnce(networks[span], span, random)
    gather(found, await untilBack(town, random))
    count(found.counts, failed === undefined ? 'faults that found nothing' : span)
    if (failed !== undefined) count(found.counts, failed)
  }
  gather(found, await load.stop())
  await untilQuiet(town)
  gather(found, await settle(town, load.touched, random))
  gather(found, await sendTwice(town, random))
  return found
}

/** A network that brings one connection several times brings one request several times, with the same code. */
async function sendTwice(town: FarTown['town'], random: Random): Promise<Findings> {
  const found = noFindings()
  const people = readyPeople(town, 1, random)
  for (const person of people) {
    const copies = Array.from({ length: 2 + random.below(3) }, () => town.node(random))
    gather(found, await codeAtOnce(person, copies))
    count(found.counts, 'codes that came several times')
  }
  gather(found, await settle(town, people, random))
  return found
}

/** Until what was under way when its connection was cut has ended, too: twice the same standing. */
async function untilQuiet({ people, records }: FarTown['town']): Promise<void> {
  const names = people.filter(({ perhaps }) => perhaps !== undefined).map(({ username }) => username)
  if (names.length === 0) return
  for (let before = await records.standings(names), same = 0; same < 3; ) {
    await delay(100)
    const now = await records.standings(names)
    same = names.every((name) => differences(before.get(name), now.get(name)) === '') ? same + 1 : 0
    before = now
  }
}
