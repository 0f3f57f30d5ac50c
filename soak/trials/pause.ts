import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startPostgres } from '../../test/support/postgres.ts'
import type { Random } from '../support/random.ts'
import { signIn, signOut } from '../support/town/deeds.ts'
import { untilBack } from '../support/town/fault.ts'
import { mixedLoad } from '../support/town/load.ts'
import type { Node } from '../support/town/node.ts'
import { book, type Deed, perform } from '../support/town/perform.ts'
import type { Person } from '../support/town/person.ts'
import { count, type Findings, gather, noFindings, settle } from '../support/town/settle.ts'
import { foundTown, type Town } from '../support/town/town.ts'
import { lastLook, townInTurn } from '../support/town/turn.ts'
import { visit } from '../support/town/visit.ts'
import type { Running, Stage, Trial } from '../support/trial.ts'

/** Whoever sent a code longer ago may find it too late, which is no fault, in milliseconds. */
const CODES_LAST_MS = 25_000

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
      return pauseOne(town, size === 'ci' ? 800 + random.below(2000) : drawnPause(random), random)
    },
    async end() {
      const found = await lastLook(towns.last())
      await postgres.stop()
      return found
    },
  }
}

/** One to forty seconds: as many between one and two as between twenty and forty. */
const drawnPause = (random: Random) => Math.round(1000 * 40 ** (random.below(1000) / 999))

async function pauseOne(town: Town, ms: number, random: Random): Promise<Findings> {
  const found = noFindings()
  await town.wakeAdmin()
  const [paused, other] = random.shuffled(town.nodes)
  if (paused === undefined || other === undefined) throw new Error('There are two servers.')
  const people = await signedIn(town, other, random, found)
  for (const person of people) person.isBusy = true
  const load = mixedLoad(town, { random, lanes: ms < CODES_LAST_MS ? 1 + random.below(6) : 0, goesOn: true })
  await load.answered(5 + random.below(30))
  process.kill(paused.pid, 'SIGSTOP')
  const began = performance.now()
  const stale = people.map((person, index) =>
    index % 2 === 0 ? endMeanwhile(person, paused, other, found) : useMeanwhile(person, paused, other, found),
  )
  await delay(ms)
  process.kill(paused.pid, 'SIGCONT')
  count(found.counts, 'milliseconds of pause', Math.round(performance.now() - began))
  await Promise.all(stale)
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
    if (people.length === 6) break
    const isFree = person.restsUntil <= Date.now() && person.perhaps === undefined && !person.world.isDisabled
    const deed = isFree ? signIn(person) : undefined
    if (deed === undefined) continue
    const done = await perform(person, node, deed)
    if (done.kind === 'done') count(found.counts, 'acknowledged')
    if (done.kind === 'done' && signIn(person) !== undefined) people.push(person)
  }
  return people
}

/** Asks the server that stands still with a session, and ends that session at the other one. */
async function endMeanwhile(person: Person, paused: Node, other: Node, found: Findings): Promise<void> {
  const session = person.world.sessions.at(-1)
  if (session === undefined) return
  const { username, address } = person
  const asked = visit(paused, { method: 'GET', path: '/auth/session/', session: session.token, address })
  if (!(await isDone(person, other, signOut(session), found))) return void (await asked)
  const reply = await asked
  if (reply.kind === 'answered' && reply.status === 200) {
    found.violations.push(`${username}: a session that ended during the pause was believed after it.`)
  } else if (reply.kind === 'answered') count(found.counts, 'sessions ended meanwhile')
}

/** Sends a code to the server that stands still, and the very same one to the other. */
async function useMeanwhile(person: Person, paused: Node, other: Node, found: Findings): Promise<void> {
  const deed = signIn(person)
  if (deed === undefined) return
  const { username, address } = person
  const sent = visit(paused, { ...deed.request, address })
  const wasDone = await isDone(person, other, deed, found)
  const reply = await sent
  if (!wasDone) {
    const late = book(person, deed, reply)
    count(found.counts, late.kind === 'done' ? 'codes taken after the pause' : 'codes taken nowhere')
  } else if (reply.kind === 'answered' && reply.status === 200) {
    found.violations.push(`${username}: a code that was used during the pause was accepted after it.`)
  } else if (reply.kind === 'answered') count(found.counts, 'codes used meanwhile')
}

/** Whether the other server did it; it may answer with a fault, since the one that stands still holds locks. */
async function isDone(person: Person, other: Node, deed: Deed, found: Findings): Promise<boolean> {
  const done = await perform(person, other, deed)
  count(found.counts, done.kind === 'done' ? 'acknowledged' : 'not done during the pause')
  return done.kind === 'done'
}
