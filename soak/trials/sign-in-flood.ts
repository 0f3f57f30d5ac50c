import { join } from 'node:path'
import { request } from '../../bench/support/http.ts'
import { closedLoop, openLoop } from '../../bench/support/load.ts'
import { percentile } from '../../bench/support/numbers.ts'
import { slowness } from '../../test/support/pace.ts'
import { holdingOf, until } from '../support/bounded.ts'
import { type Random, seededRandom } from '../support/random.ts'
import { signIn } from '../support/town/deeds.ts'
import { perform } from '../support/town/perform.ts'
import type { Person } from '../support/town/person.ts'
import { count, noFindings, settle } from '../support/town/settle.ts'
import { foundTown, type Town } from '../support/town/town.ts'
import type { Judgement, Samples, Stage, Trial } from '../support/trial.ts'

/** Sign-ins a second that nobody means, about twenty times what passwords can be hashed on two cores. */
const RATE = 500
/** Somebody whom their browser vouches for is in within so many milliseconds, on cores that hash for nobody else. */
const PATIENCE_MS = 5000

/** Far more sign-ins than there is time for. */
export const signInFlood: Trial = {
  id: 'FT-LOAD-2',
  name: 'sign-in-flood',
  holds:
    'While far more sign-ins come than passwords can be hashed, sessions are checked, people whose browsers are known sign in, the rest is refused, and memory returns (I7, I8).',
  rounds: 'floods',
  sizes: { ci: 1, soak: 60, release: 60 },
  needs: ['sign-ins that nobody means', 'refused', 'sign-ins by known browsers', 'checks of sessions'],
  patience: 180,
  begin,
  judge: judged,
}

interface Here {
  readonly town: Town
  /** Tokens of the browsers that people signed in with before. */
  readonly browsers: ReadonlyMap<Person, string>
  readonly milliseconds: number
}

async function begin({ folder, size }: Stage) {
  const random = seededRandom('sign-in-flood', folder)
  const town = await foundTown({
    ...{ folder: join(folder, 'town'), people: 40, random },
    // The limit of the server as it is by default; a network of the flood is one of many.
    env: { WATCHWORD_THROTTLE_SERVER_LIMIT: '1000' },
  })
  await town.start('launched')
  await town.wakeAdmin()
  const browsers = new Map<Person, string>()
  for (const person of town.people) {
    const deed = signIn(person)
    const done = deed && (await perform(person, town.node(random), deed))
    if (done?.kind === 'done' && done.reply.cookies.browser !== undefined)
      browsers.set(person, done.reply.cookies.browser)
  }
  const here = { town, browsers, milliseconds: size === 'ci' ? 5000 : 30_000 }
  return {
    round: (number: number, chance: Random) => oneRound(here, number, chance),
    async end() {
      const { violations } = await settle(town, town.people, random)
      await town.close()
      return { violations }
    },
  }
}

async function oneRound({ town, browsers, milliseconds }: Here, number: number, random: Random) {
  const [node] = town.nodes
  if (node === undefined) throw new Error('No server is there.')
  await town.wakeAdmin()
  // The code that each used last is over.
  await new Promise((resolve) => setTimeout(resolve, 31_000 - (Date.now() % 30_000)))
  const found = noFindings()
  const before = await slowness()
  const flooding = openLoop(node.port, strangers(number), { rate: RATE, connections: 256, milliseconds })
  const checking = closedLoop(
    node.port,
    () => sessionCheck(town.adminSession()),
    { concurrency: 2, milliseconds },
    () => true,
  )
  const waits = await knownSignIns(town, browsers, { random, milliseconds })
  const [flood, checks] = await Promise.all([flooding, checking])
  // The flood itself does not count as what else the cores had to do.
  const allowed = PATIENCE_MS * Math.max(before, await slowness())
  count(found.counts, 'sign-ins that nobody means', flood.offered)
  const refusals: number[] = []
  for (const [status, times] of flood.times) {
    if (status === 429 || status === 503) {
      count(found.counts, 'refused', times.length)
      for (const time of times) refusals.push(time)
    } else if (status === 401) count(found.counts, 'looked at', times.length)
    else found.violations.push(`${times.length} sign-ins were answered ${status}`)
  }
  for (const [status, many] of checks.statuses) {
    count(found.counts, 'checks of sessions', many)
    if (status !== 200) found.violations.push(`${many} checks were answered ${status}`)
  }
  count(found.counts, 'sign-ins by known browsers', waits.length)
  return {
    ...found,
    samples: {
      'ms to sign in': waits.map(Math.round),
      'ms allowed': [Math.round(allowed)],
      'late sign-ins': [waits.filter((wait) => wait > allowed).length],
      'p99 ms of checks': [Math.round(percentile(checks.times, 0.99))],
      'p99 ms of refusals': [Math.round(percentile(refusals, 0.99))],
      'resident MiB': [Math.round(holdingOf(node.pid).residentMib)],
    },
  }
}

/** Names that nobody has, from networks that have nothing in common. */
function strangers(number: number) {
  let next = 0
  return () => {
    const who = next++
    const headers = { 'x-forwarded-for': `10.${(who >> 16) & 255}.${(who >> 8) & 255}.${who & 255}` }
    const fields = { username: `nobody${number}.${who}`, password: 'a password that nobody has' }
    return { bytes: request('POST', '/auth/login/', { headers, fields }) }
  }
}

const sessionCheck = (session: string) => ({
  bytes: request('GET', '/auth/session/', { headers: { cookie: `__Host-watchword-session=${session}` } }),
})

/** People one after another; gives how long each took, or infinity. */
async function knownSignIns(
  town: Town,
  browsers: Here['browsers'],
  { random, milliseconds }: { readonly random: Random; readonly milliseconds: number },
): Promise<number[]> {
  const waits: number[] = []
  const end = performance.now() + milliseconds
  for (const [person, browser] of random.shuffled([...browsers])) {
    if (performance.now() > end) break
    const deed = signIn(person)
    if (deed === undefined) continue
    const began = performance.now()
    const isIn = await until(async () => {
      const done = await perform(person, town.node(random), {
        ...deed,
        request: { ...deed.request, browser },
      })
      return done.kind === 'done'
    }, 4 * PATIENCE_MS)
    waits.push(isIn ? performance.now() - began : Number.MAX_SAFE_INTEGER)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return waits
}

function judged(samples: Samples): Judgement {
  const { 'ms to sign in': waits = [], 'late sign-ins': tardy = [], 'resident MiB': resident = [] } = samples
  const late = tardy.reduce((sum, many) => sum + many, 0)
  const figures: Record<string, number> = {
    'late sign-ins': late,
    'ms allowed': Math.max(...(samples['ms allowed'] ?? [0])),
    'p99 ms to sign in': percentile(waits, 0.99),
  }
  for (const name of ['p99 ms of checks', 'p99 ms of refusals'])
    figures[name] = percentile(samples[name] ?? [0], 0.5)
  const violations = late > 0.01 * waits.length ? [`${late} of ${waits.length} people did not get in.`] : []
  const [first = 0] = resident
  const last = resident.at(-1) ?? 0
  figures['MiB after'] = last
  if (last > 1.1 * first + 30)
    violations.push(`${last} MiB are resident after the last flood, ${first} were after the first.`)
  return { figures, violations }
}
