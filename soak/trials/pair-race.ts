import { closeEngines, type Stage as EngineStage, postgres, sqlite } from '../../test/actions/engines.ts'
import {
  accountOperations,
  didIt,
  makeSubject,
  type Subject,
  standingOf,
} from '../support/account-operations.ts'
import { programPolicies, WIKI } from '../support/nodes.ts'
import type { Random } from '../support/random.ts'
import type { Round, Trial } from '../support/trial.ts'

type Name = string
type Pair = readonly [Name, Name]

/** Those that let somebody in; what they meet most often goes wrong when it comes in the middle of them. */
const waysIn: ReadonlySet<Name> = new Set([
  'all three at once',
  'all three at once, telling nothing',
  'code of one login',
  'recovery code',
  'password step',
  'accept an invitation',
  'password and code in one field',
])

const names = Object.keys(accountOperations)
const all = names.flatMap((first, at) => names.slice(at).map((second): Pair => [first, second]))
const isOfWayAndChange = ([first, second]: Pair) => waysIn.has(first) !== waysIn.has(second)

/** Changes that a sign-in which began before them must not outlive. */
const endings: ReadonlySet<Name> = new Set([
  'change the password',
  'operator: set a password',
  'operator: reset the second factor',
  'operator: disable',
])
const isOfWayAndEnding = (pair: Pair) => isOfWayAndChange(pair) && pair.some((name) => endings.has(name))

/** Each two; a short run sees the first of them. */
const pairs: readonly Pair[] = all.toSorted(
  (one, other) =>
    Number(isOfWayAndEnding(other)) - Number(isOfWayAndEnding(one)) ||
    Number(isOfWayAndChange(other)) - Number(isOfWayAndChange(one)),
)
const FIRST = pairs.filter(isOfWayAndEnding).length

/** How often in a row a pair is tried on each engine. */
const TRIES = 3

/** Each two changes of one account, at the same moment. */
export const pairRace: Trial = {
  id: 'FT-RACE-4',
  name: 'pair-race',
  holds: 'Any two changes of one account at the same moment end as if one came after the other (I2, I3, I5).',
  rounds: 'pairs',
  // Each pair 102 times, half of them on each engine; for a release 804 times.
  sizes: {
    ci: FIRST * TRIES * 2,
    soak: pairs.length * TRIES * 2 * 17,
    release: pairs.length * TRIES * 2 * 134,
  },
  needs: ['pairs on SQLite', 'pairs on PostgreSQL', 'both were done', 'one was refused'],
  patience: 60,
  async begin() {
    const config = {
      login: { returnOrigins: [WIKI] },
      password: { hashQueue: 1024, hashDeadline: 60 },
      throttle: { passwordFree: 100_000, networkLimit: 1e9, siteLimit: 1e9, serverLimit: 1e9 },
      policies: programPolicies,
    }
    const opened = [await sqlite.open({ config }), await postgres.open({ config })]
    const engines = opened.map(({ stage }, index) => ({
      ...stage,
      name: index === 0 ? 'SQLite' : 'PostgreSQL',
      allowed: new Map<string, ReadonlySet<string>>(),
      took: new Map<Name, number>(),
    }))
    return {
      round(number, random) {
        const at = Math.floor(number / (2 * TRIES)) % pairs.length
        return together(engines[number % 2] as Engine, pairs[at] as Pair, random)
      },
      async end() {
        for (const { close } of opened) await close()
        await closeEngines()
        return undefined
      },
    }
  },
}

interface Engine extends EngineStage {
  readonly name: string
  /** How each pair may end; found out once. */
  readonly allowed: Map<string, ReadonlySet<string>>
  /** How long each operation took when it was last done by itself, in milliseconds. */
  readonly took: Map<Name, number>
}

async function together(engine: Engine, pair: Pair, random: Random): Promise<Round> {
  const { services } = engine
  const allowed = await serialEnds(engine, pair)
  const subject = await makeSubject(services)
  const order = random.below(2) === 0 ? [0, 1] : [1, 0]
  // The other one begins somewhere in the middle of the first.
  const lead = ((engine.took.get(pair[order[0] as 0 | 1]) ?? 0) * random.below(1000)) / 1000
  const begun = order.map(async (index, turn) => {
    if (turn === 1) await aLittle(lead)
    return { index, done: await attempt(engine, pair[index as 0 | 1], subject) }
  })
  const done = (await Promise.all(begun)).toSorted((a, b) => a.index - b.index).map((each) => each.done)
  const end = await endOf(engine, subject, done)
  const isOrder = allowed.has(end)
  return {
    counts: {
      [`pairs on ${engine.name}`]: 1,
      [done.every((each) => each === 'done') ? 'both were done' : 'one was refused']: 1,
    },
    violations: isOrder
      ? []
      : [
          `"${pair.join('" and "')}" on ${engine.name} ended in ${end}, which is none of ${[...allowed].join(' or ')}`,
        ],
  }
}

/** So many milliseconds, to a fraction of one. */
async function aLittle(lead: number): Promise<void> {
  const until = performance.now() + lead
  while (performance.now() < until) await new Promise(setImmediate)
}

async function attempt({ services }: Engine, name: Name, subject: Subject): Promise<string> {
  const operation = accountOperations[name]
  if (operation === undefined) throw new Error(`no operation ${name}`)
  return didIt(await operation(services, subject)) ? 'done' : 'refused'
}

const endOf = async ({ services }: Engine, subject: Subject, done: readonly string[]) =>
  `${done.join(', ')}: ${await standingOf(services, subject)}`

/** How both orders end, and each alone: one may also be refused because of the other, if it then did nothing. */
async function serialEnds(engine: Engine, pair: Pair): Promise<ReadonlySet<string>> {
  const key = pair.join('\n')
  const known = engine.allowed.get(key)
  if (known !== undefined) return known
  const ends = new Set<string>()
  for (const order of [[0, 1], [1, 0], [0], [1]] as const) {
    const subject = await makeSubject(engine.services)
    const done = ['refused', 'refused']
    for (const index of order) {
      const began = performance.now()
      done[index] = await attempt(engine, pair[index], subject)
      if (done[index] === 'done') engine.took.set(pair[index], performance.now() - began)
    }
    ends.add(await endOf(engine, subject, done))
  }
  engine.allowed.set(key, ends)
  return ends
}
