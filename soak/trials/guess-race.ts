import { join } from 'node:path'
import { createUser } from '../../src/actions/create-user.ts'
import { readAttempts } from '../../src/store/views/read-attempts.ts'
import { makePerson, OLD_PASSWORD } from '../../test/actions/person.ts'
import { startPostgres } from '../../test/support/postgres.ts'
import { codeShots, codeWays, giveHands, programsPolicy } from '../support/code-shots.ts'
import { type Nodes, startNodes } from '../support/nodes.ts'
import { eventsOf, kindsOf } from '../support/race-book.ts'
import type { Random } from '../support/random.ts'
import type { Round, Trial } from '../support/trial.ts'
import { jsonRequest, type Lanes, openLanes, type Shot } from '../support/volley.ts'

const GUESSES = 1000
const ADDRESSES = 200
const AT_ONCE = 500
/** Two devices, and a step before and behind the present one. */
const HMACS_A_LOOK = 6

/** A thousand guesses at one account at the same moment, to two processes. */
export const guessRace: Trial = {
  id: 'FT-RACE-3',
  name: 'guess-race',
  holds: `${GUESSES} guesses at once from ${ADDRESSES} addresses, to two processes, get as many looks as the budget has (I4).`,
  rounds: 'thousands',
  sizes: { ci: 4, soak: 100, release: 400 },
  needs: ['codes looked at', 'passwords compared', 'guesses turned away'],
  patience: 120,
  async begin({ folder }) {
    const postgres = await startPostgres()
    const nodes = await startNodes({
      folder: join(folder, 'nodes'),
      processes: 2,
      databaseUrl: await postgres.createDatabase('guesses'),
      toml: programsPolicy,
      // That of one address is another trial's; a minute of this one holds many rounds.
      throttle: { serverLimit: 1_000_000, networkLimit: 100_000, siteLimit: 1_000_000 },
      env: { WATCHWORD_PASSWORD_HASH_QUEUE: '1024', WATCHWORD_PASSWORD_HASH_DEADLINE: '60' },
    })
    const lanes = await openLanes(nodes, { count: AT_ONCE })
    return {
      round: (number, random) =>
        number % 2 === 0 ? guessCodes(nodes, lanes, random) : guessPasswords(nodes, lanes, random),
      async end() {
        lanes.close()
        await nodes.close()
        await postgres.stop()
        return undefined
      },
    }
  },
}

/** With the right password, and codes that are all wrong. */
async function guessCodes(nodes: Nodes, lanes: Lanes, random: Random): Promise<Round> {
  const { beside, config } = nodes
  const person = await makePerson(beside, 'enrolled')
  const holder = { ...person, password: OLD_PASSWORD }
  const hands = await giveHands(beside, person, 20)
  const right = new Set(['phone', 'token', 'tablet'].map((name) => person.code(name)))
  const shots: Shot[] = []
  while (shots.length < GUESSES) {
    // Eight digits are never right: the devices have six.
    const code = String(random.below(1e8)).padStart(random.pick([6, 8]), '0')
    if (right.has(code)) continue
    const ways = [random.pick([...codeWays, 'verify', 'page'] as const)]
    shots.push(...codeShots(nodes, { holder, hands, code }, { ways, count: 1, random }))
  }
  const before = await nodes.computed()
  const began = performance.now()
  const hits = await fire(lanes, shots)
  const { reasons } = await eventsOf(beside, person.id)
  const looks = reasons['wrong-code'] ?? 0
  const codeFree = looksWithin(config.throttle.codeFree, config.throttle, began)
  const violations: string[] = []
  if (looks > codeFree) violations.push(`${looks} codes were looked at; the budget has ${codeFree}.`)
  const { hmacs } = await nodes.computed()
  if (hmacs - before.hmacs > codeFree * HMACS_A_LOOK) {
    violations.push(
      `${hmacs - before.hmacs} codes were computed; ${codeFree} looks have ${HMACS_A_LOOK} each.`,
    )
  }
  const attempts = (await readAttempts(beside.db, [`code:${person.id}`])).get(`code:${person.id}`)
  // What cannot be a code is charged, and never looked at.
  const refused = looks + (reasons.malformed ?? 0)
  if (attempts?.count !== refused)
    violations.push(`${refused} codes were refused, and ${attempts?.count} charged.`)
  // Not even the right one is looked at while the wait lasts.
  const code = person.code('phone')
  const [owner] = codeShots(nodes, { holder, hands, code }, { ways: ['verify'], count: 1, random })
  const isIn = owner !== undefined && (await lanes.one(owner)).won
  if (isIn && beside.now() < (attempts?.blockedUntil ?? 0)) violations.push('The wait let a code through.')
  return told(hits, violations, { 'codes looked at': looks })
}

/** Passwords that are all wrong, of one name in many spellings. */
async function guessPasswords(nodes: Nodes, lanes: Lanes, random: Random): Promise<Round> {
  const { beside, config } = nodes
  const username = `victim-${random.bytes(6).toString('hex')}`
  const made = await createUser(
    beside,
    {
      ...{ username, displayName: '', isSuperuser: false, password: OLD_PASSWORD },
      ...{ mustChangePassword: false, groups: [] },
    },
    { operator: 'trial' },
  )
  if (made.kind !== 'created') throw new Error(made.kind)
  const before = await nodes.computed()
  const shots = Array.from({ length: GUESSES }, (_, index): Shot => {
    const address = `198.51.${index % ADDRESSES}.7`
    const fields = {
      username: random.pick([username, username.toUpperCase(), ` ${username}`]),
      password: `guess ${random.bytes(4).toString('hex')}`,
    }
    return random.below(2) === 0
      ? { way: 'login', request: jsonRequest('POST', '/auth/login/', { address }, fields) }
      : {
          way: 'authenticate',
          request: jsonRequest('POST', '/auth/authenticate/', { address }, { ...fields, otp: '123456' }),
        }
  })
  const began = performance.now()
  const hits = await fire(lanes, shots)
  const compared = (await nodes.computed()).passwords - before.passwords
  const { reasons } = await eventsOf(beside, made.id)
  const looks = reasons['wrong-password'] ?? 0
  const passwordFree = looksWithin(config.throttle.passwordFree, config.throttle, began)
  const violations: string[] = []
  if (looks > passwordFree) {
    violations.push(`${looks} passwords were looked at; the budget has ${passwordFree}.`)
  }
  // A name that nobody has, as one with a space before it, costs comparisons that are charged to itself.
  if (compared > 2 * passwordFree) {
    violations.push(
      `${compared} passwords were compared; the budgets of both spellings have ${passwordFree} each.`,
    )
  }
  return told(hits, violations, { 'passwords compared': compared })
}

/** What the budget has by now: those that are free, and one after each wait that has passed. */
function looksWithin(free: number, { firstWait }: { readonly firstWait: number }, began: number): number {
  let looks = free
  let wait = firstWait
  for (let left = (performance.now() - began) / 1000; left >= wait; wait *= 2) {
    left -= wait
    looks++
  }
  return looks
}

async function fire(lanes: Lanes, shots: readonly Shot[]) {
  const hits = []
  for (let at = 0; at < shots.length; at += AT_ONCE) {
    hits.push(...(await lanes.fire(shots.slice(at, at + AT_ONCE))))
  }
  return hits
}

function told(
  hits: Awaited<ReturnType<typeof fire>>,
  violations: readonly string[],
  counts: Readonly<Record<string, number>>,
): Round {
  const won = hits.filter((hit) => hit.won)
  const kinds = kindsOf(hits)
  const faults = Object.keys(kinds).filter((said) => said.startsWith('5'))
  return {
    counts: {
      guesses: hits.length,
      'guesses turned away': (kinds['429'] ?? 0) + (kinds['422'] ?? 0) + (kinds['401'] ?? 0),
      ...counts,
    },
    violations: [
      ...violations,
      ...(won.length > 0 ? [`${won.length} guesses were let in.`] : []),
      ...(faults.length > 0 ? [`Some were answered ${faults.join(', ')}.`] : []),
    ],
  }
}
