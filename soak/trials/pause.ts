import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startPostgres } from '../../test/support/postgres.ts'
import type { Random } from '../support/random.ts'
import { signIn, signOut } from '../support/town/deeds.ts'
import { untilBack } from '../support/town/fault.ts'
import { mixedLoad } from '../support/town/load.ts'
import type { Node } from '../support/town/node.ts'
import { perform } from '../support/town/perform.ts'
import type { Person } from '../support/town/person.ts'
import { count, type Findings, gather, noFindings, settle } from '../support/town/settle.ts'
import { foundTown, type Town } from '../support/town/town.ts'
import { lastLook, townInTurn } from '../support/town/turn.ts'
import { visit } from '../support/town/visit.ts'
import type { Running, Stage, Trial } from '../support/trial.ts'

/** `FT-PAUSE-1`: one of two servers stands still and then goes on. */
export const pause: Trial = {
  id: 'FT-PAUSE-1',
  name: 'pause',
  holds:
    'What reached a server before it stood still is judged by what holds when it goes on: sessions that ended meanwhile and codes that were used meanwhile open nothing (I2, I5, I7).',
  rounds: 'pauses',
  sizes: { ci: 5, soak: 200, release: 200 },
  needs: ['pauses', 'sessions ended meanwhile', 'codes used meanwhile', 'acknowledged'],
  patience: 180,
  begin: pauses,
}

async function pauses({ folder, size }: Stage): Promise<Running> {
  const postgres = await startPostgres()
  const towns = townInTurn(async (number, random) => {
    const databaseUrl = await postgres.createDatabase(`town${number}`)
    return foundTown({ folder: join(folder, `town${number}`), databaseUrl, people: 90, random })
  })
  return {
    async round(number, random) {
      const town = await towns.at(number, random)
      while (town.nodes.length < 2) await town.start()
      const ms = size === 'ci' ? 800 + random.below(2000) : 1000 + random.below(39_000)
      return pauseOne(town, ms, random)
    },
    async end() {
      const found = await lastLook(towns.last())
      await postgres.stop()
      return found
    },
  }
}

async function pauseOne(town: Town, ms: number, random: Random): Promise<Findings> {
  const found = noFindings()
  await town.wakeAdmin()
  const [paused, other] = random.shuffled(town.nodes)
  if (paused === undefined || other === undefined) throw new Error('There are two servers.')
  const people = await signedIn(town, other, random, found)
  for (const person of people) person.isBusy = true
  const load = mixedLoad(town, { random, lanes: 1 + random.below(6), goesOn: true })
  await load.answered(5 + random.below(30))
  process.kill(paused.pid, 'SIGSTOP')
  const began = performance.now()
  const stale = people.map((person) => ask(person, paused))
  await delay(50)
  for (const person of people) await useMeanwhile(person, other, found)
  await delay(Math.max(0, ms - (performance.now() - began)))
  process.kill(paused.pid, 'SIGCONT')
  for (const each of stale) gather(found, await each)
  gather(found, await untilBack(town, random))
  gather(found, await load.stop())
  for (const person of people) person.isBusy = false
  gather(found, await settle(town, [...people, ...load.touched], random))
  count(found.counts, 'pauses')
  return found
}

/** A few people with a session and a code that is due. */
async function signedIn(town: Town, node: Node, random: Random, found: Findings): Promise<Person[]> {
  const people: Person[] = []
  for (const person of random.shuffled(town.people)) {
    if (people.length === 4) break
    const isFree = person.restsUntil <= Date.now() && person.perhaps === undefined && !person.world.isDisabled
    const deed = isFree ? signIn(person) : undefined
    if (deed === undefined) continue
    const done = await perform(person, node, deed)
    if (done.kind === 'done') count(found.counts, 'acknowledged')
    if (done.kind === 'done' && signIn(person) !== undefined) people.push(person)
  }
  return people
}

/** Asks the server that stands still with the session and with the next code; what it says once it goes on. */
async function ask(person: Person, paused: Node): Promise<Findings> {
  const found = noFindings()
  const { username, address, world } = person
  const session = world.sessions.at(-1)?.token ?? ''
  const deed = signIn(person)
  const [looked, signed] = await Promise.all([
    visit(paused, { method: 'GET', path: '/auth/session/', session, address }),
    deed && visit(paused, { ...deed.request, address }),
  ])
  if (looked.kind === 'answered' && looked.status === 200) {
    found.violations.push(`${username}: a session that ended during the pause was believed after it.`)
  } else count(found.counts, 'sessions ended meanwhile')
  if (signed?.kind === 'answered' && signed.status === 200) {
    found.violations.push(`${username}: a code that was used during the pause was accepted after it.`)
  } else if (signed !== undefined) count(found.counts, 'codes used meanwhile')
  return found
}

/** Signs out and signs in with that very code, at the other server. */
async function useMeanwhile(person: Person, other: Node, found: Findings): Promise<void> {
  const session = person.world.sessions.at(-1)
  const code = signIn(person)
  if (session === undefined || code === undefined) return
  for (const deed of [signOut(session), code]) {
    const done = await perform(person, other, deed)
    if (done.kind === 'done') count(found.counts, 'acknowledged')
    else found.violations.push(`${person.username}: ${deed.name} during the pause was ${done.kind}.`)
  }
}
