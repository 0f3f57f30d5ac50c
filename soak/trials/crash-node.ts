import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startPostgres } from '../../test/support/postgres.ts'
import type { Random } from '../support/random.ts'
import { signIn } from '../support/town/deeds.ts'
import { performAtOnce } from '../support/town/perform.ts'
import type { Person } from '../support/town/person.ts'
import { count, type Findings, gather, noFindings, settle } from '../support/town/settle.ts'
import { foundTown, type Town } from '../support/town/town.ts'
import { lastLook, townInTurn } from '../support/town/turn.ts'
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
  const towns = townInTurn(async (number, random) => {
    const databaseUrl = await postgres.createDatabase(`town${number}`)
    return foundTown({ folder: join(folder, `town${number}`), databaseUrl, people: 90, random })
  })
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
  const people = ready(town, random)
  const sending = people.map(async (person) => {
    const deed = signIn(person)
    if (deed === undefined) return
    const nodes = Array.from(
      { length: TIMES },
      (_, time) => town.nodes[time % town.nodes.length] ?? town.node(random),
    )
    const sent = await performAtOnce(person, nodes, deed)
    count(found.counts, 'submissions', TIMES)
    count(found.counts, 'accepted', sent.accepted)
    count(found.counts, 'answers lost', sent.lost)
    if (sent.accepted > 1)
      found.violations.push(`${person.username}: one code signed in ${sent.accepted} times.`)
    if (sent.accepted + sent.lost === 0)
      found.violations.push(`${person.username}: a right code signed in nobody.`)
  })
  const killing = random.pick(town.nodes)
  await delay((random.below(150) / 100) * typical)
  await town.kill(killing)
  await Promise.all(sending)
  const took = performance.now() - began
  gather(found, await settle(town, people, random))
  count(found.counts, 'kills')
  if ((found.counts['answers lost'] ?? 0) > 0) count(found.counts, 'kills in mid-request')
  return { found, took }
}

/** People whose code is due, and who are not made to wait. */
function ready(town: Town, random: Random): Person[] {
  const able = town.people.filter(
    (person) =>
      person.restsUntil <= Date.now() && person.perhaps === undefined && signIn(person) !== undefined,
  )
  return random.shuffled(able).slice(0, PEOPLE)
}
