import { setTimeout as delay } from 'node:timers/promises'
import { startPostgres } from '../../test/support/postgres.ts'
import type { Random } from '../support/random.ts'
import { codeAtOnce, readyPeople } from '../support/town/at-once.ts'
import { count, type Findings, gather, noFindings, settle } from '../support/town/settle.ts'
import type { Town } from '../support/town/town.ts'
import { lastLook, townsOnPostgres } from '../support/town/turn.ts'
import type { Running, Stage, Trial } from '../support/trial.ts'

/** So many send their code at once, each so often: fewer than the wrong codes that make somebody wait. */
const PEOPLE = 3
const TIMES = 4

/** `FT-CRASH-3`: one of two servers is killed while both are sent the same code. */
export const crashNode: Trial = {
  id: 'FT-CRASH-3',
  name: 'crash-node',
  holds: 'One code sent to two servers at once, one of which is killed, signs in once at most (I2, I10).',
  rounds: 'kills',
  sizes: { ci: 25, soak: 5000, release: 5000 },
  needs: ['kills in mid-request', 'accepted', 'codes sent again'],
  patience: 120,
  begin: kills,
}

async function kills({ folder }: Stage): Promise<Running> {
  const postgres = await startPostgres()
  /** What a volley takes until its last answer, in milliseconds, so that kills fall into it on any machine. */
  let typical = 20
  const towns = townsOnPostgres(folder, postgres)
  return {
    async round(number, random) {
      const town = await towns.at(number, random)
      while (town.nodes.length < 2) await town.start()
      const { found, took } = await killOne(town, { typical, random })
      typical = 0.9 * typical + 0.1 * took
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

async function killOne(
  town: Town,
  { typical, random }: { typical: number; random: Random },
): Promise<{ found: Findings; took: number }> {
  const found = noFindings()
  const began = performance.now()
  const people = readyPeople(town, PEOPLE, random)
  const nodes = Array.from(
    { length: TIMES },
    (_, time) => town.nodes[time % town.nodes.length] ?? town.node(random),
  )
  const sending = people.map((person) => codeAtOnce(person, nodes))
  const killing = random.pick(town.nodes)
  await delay((random.below(150) / 100) * typical)
  await town.kill(killing)
  for (const sent of await Promise.all(sending)) gather(found, sent)
  // Nobody has to wait here: each sends one code a time.
  if ((found.counts['codes that signed in nobody'] ?? 0) > 0)
    found.violations.push('A right code signed in nobody.')
  const took = performance.now() - began
  gather(found, await settle(town, people, random))
  count(found.counts, 'kills')
  if ((found.counts['answers lost'] ?? 0) > 0) count(found.counts, 'kills in mid-request')
  return { found, took }
}
