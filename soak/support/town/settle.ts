import { addCounts } from '../history.ts'
import type { Random } from '../random.ts'
import { isTakenElsewhere } from './codes.ts'
import { signInWith } from './deeds.ts'
import { adopt, perform } from './perform.ts'
import type { Person, Spent } from './person.ts'
import type { Town } from './town.ts'
import { visit } from './visit.ts'
import { differences, standingOf } from './world.ts'

/** What was found, as a round tells it. */
export interface Findings {
  readonly counts: Record<string, number>
  readonly violations: string[]
}

export const noFindings = (): Findings => ({ counts: {}, violations: [] })

export function count(counts: Record<string, number>, kind: string, by = 1): void {
  counts[kind] = (counts[kind] ?? 0) + by
}

/** Adds what was found elsewhere. */
export function gather(found: Findings, more: Partial<Findings>): void {
  addCounts(found.counts, more.counts ?? {})
  found.violations.push(...(more.violations ?? []))
}

/**
 * Holds the books of these people against the database and the server, as it answers after a fault.
 *
 * What was told must hold, and what was not told must hold wholly or not at all (I1, I10); sessions that go on are
 * taken, those that ended are not (I5); and no code is accepted again (I2).
 */
export async function settle(town: Town, touched: Iterable<Person>, random: Random): Promise<Findings> {
  const found = noFindings()
  const inDoubt = town.people.filter(({ perhaps }) => perhaps !== undefined)
  const people = [...new Set([...touched, ...inDoubt])]
  // What a killed server, or a cut connection, has asked of PostgreSQL may be done a moment later.
  await town.records.quiet()
  const records = await town.records.standings(people.map(({ username }) => username))
  const doubtful: { person: Person; spent: Spent }[] = []
  for (const person of people) {
    const standing = records.get(person.username)
    const { perhaps } = person
    const asTold = differences(standingOf(person.world), standing)
    if (perhaps === undefined) {
      if (asTold !== '') found.violations.push(`${person.username}: ${asTold}.`)
      continue
    }
    const asDone = differences(standingOf(perhaps.world), standing)
    if (asDone === '') {
      count(found.counts, 'done untold')
      adopt(person, perhaps.world, perhaps.code)
    } else if (asTold === '') {
      count(found.counts, 'not done')
      person.perhaps = undefined
      if (perhaps.code !== undefined) doubtful.push({ person, spent: perhaps.code })
    } else {
      found.violations.push(
        `${person.username}: ${perhaps.deed} was neither done nor left undone: ${asTold}; or ${asDone}.`,
      )
      adopt(person, perhaps.world, perhaps.code)
    }
  }
  await Promise.all(people.map((person) => checkSessions(town, person, random, found)))
  await Promise.all(people.map((person) => replay(town, person, random, found)))
  await Promise.all(doubtful.map((each) => sendAgain(town, each, random, found)))
  return found
}

/** Each session that was told of opens, and each that ended does not. */
async function checkSessions(town: Town, person: Person, random: Random, found: Findings): Promise<void> {
  const ask = (session: string) =>
    visit(town.node(random), { method: 'GET', path: '/auth/session/', session, address: person.address })
  const alive = person.world.sessions.slice(-4)
  const ended = person.ended.slice(-3)
  const [open, shut] = await Promise.all([
    Promise.all(alive.map(({ token }) => ask(token))),
    Promise.all(ended.map(ask)),
  ])
  for (const reply of open) {
    count(found.counts, 'sessions that go on')
    if (reply.kind !== 'answered' || reply.status !== 200 || reply.body.user.username !== person.username) {
      found.violations.push(`${person.username}: a session that was given is ${said(reply)}.`)
    }
  }
  for (const reply of shut) {
    count(found.counts, 'ended sessions')
    if (reply.kind !== 'answered' || reply.status !== 401) {
      found.violations.push(`${person.username}: a session that ended is ${said(reply)}.`)
    }
  }
}

/** The code that was accepted last is sent once more. */
async function replay(town: Town, person: Person, random: Random, found: Findings): Promise<void> {
  const spent = person.spent.at(-1)
  const { username, address, world } = person
  if (spent === undefined || world.isDisabled || person.restsUntil > Date.now()) return
  // Another step may have the same digits; then they would be right.
  if (spent.code !== undefined && isTakenElsewhere(spent.code, world.devices)) return
  person.spent.pop()
  const reply = await visit(town.node(random), {
    method: 'POST',
    path: '/auth/authenticate/',
    fields: { username, password: world.password, otp: spent.text },
    address,
  })
  if (reply.kind === 'answered' && reply.status === 200) {
    found.violations.push(`${username}: a code that was accepted is accepted again.`)
  } else if (reply.kind === 'answered' && (reply.status === 400 || reply.status === 401)) {
    count(found.counts, 'codes sent again')
  } else {
    count(found.counts, 'codes sent again without an answer to them')
  }
}

/** A code whose answer was lost and that was not accepted may be accepted now, or count as spent. */
async function sendAgain(
  town: Town,
  { person, spent }: { person: Person; spent: Spent },
  random: Random,
  found: Findings,
): Promise<void> {
  const { world } = person
  if (world.isDisabled || spent.code === undefined || !world.devices.includes(spent.code.device)) return
  const done = await perform(person, town.node(random), signInWith(person, spent.code))
  count(found.counts, done.kind === 'done' ? 'codes taken after all' : 'codes spent by a lost answer')
}

const said = (reply: Awaited<ReturnType<typeof visit>>): string =>
  reply.kind === 'answered' ? `answered ${reply.status} ${reply.code}` : reply.kind
