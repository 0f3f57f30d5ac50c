import { join } from 'node:path'
import { type Injected, injectFaults } from '../../test/support/io-faults.ts'
import type { Random } from '../support/random.ts'
import { beginEnrolment, confirmEnrolment, shownDevice, signIn, signOut } from '../support/town/deeds.ts'
import { untilBack } from '../support/town/fault.ts'
import { perform } from '../support/town/perform.ts'
import type { Person } from '../support/town/person.ts'
import { count, type Findings, gather, noFindings, settle } from '../support/town/settle.ts'
import { foundTown, type Town } from '../support/town/town.ts'
import { lastLook, townInTurn } from '../support/town/turn.ts'
import type { Running, Stage, Trial } from '../support/trial.ts'

/** Each call with each way it can fail; a write of nothing is a short one. */
const ways: readonly Omit<Injected, 'when'>[] = [
  { call: 'fsync,fdatasync', fault: 'error=EIO' },
  { call: 'pwrite64,write', fault: 'error=EIO' },
  { call: 'pwrite64,write', fault: 'error=ENOSPC' },
  { call: 'pwrite64', fault: 'retval=0' },
  { call: 'pwrite64,write', fault: 'error=EINTR' },
  { call: 'openat,ftruncate,fallocate', fault: 'error=EIO' },
  { call: 'pread64', fault: 'error=EIO' },
  { call: 'fcntl', fault: 'error=EIO' },
]

/** `FT-IO-1`: the n-th call that touches the database fails while people sign in, enrol and sign out. */
export const ioFault: Trial = {
  id: 'FT-IO-1',
  name: 'io-fault',
  holds:
    'Whichever call on the files of the database fails, nobody is let in by it, what was acknowledged is kept, and the server goes on (I1, I3, I7).',
  rounds: 'failing calls',
  sizes: { ci: 32, soak: 640, release: 1600 },
  needs: ['failed calls', 'acknowledged', 'answered with a fault', 'rounds past the last call'],
  patience: 120,
  begin: async (stage) => faults(stage),
}

function faults({ folder, size }: Stage): Running {
  const towns = townInTurn((number, random) =>
    foundTown({ folder: join(folder, `town${number}`), people: 60, random }),
  )
  return {
    async round(number, random) {
      const town = await towns.at(number, random)
      if (town.nodes.length === 0) await town.start()
      const way = ways[number % ways.length]
      if (way === undefined) throw new Error('There is a way for each round.')
      // At the small size spread over as many calls as there are, roughly; else every one in turn.
      const turn = Math.floor(number / ways.length)
      const when = size === 'ci' ? 1 + ([0, 4, 11, 400][turn] ?? turn) : 1 + turn
      const found = await fail(town, { ...way, when }, random)
      if (number % 10 === 0) found.violations.push(...(await town.records.faults()))
      return found
    },
    end: () => lastLook(towns.last()),
  }
}

async function fail(town: Town, what: Injected, random: Random): Promise<Findings> {
  const found = noFindings()
  const [node] = town.nodes
  const person = random.shuffled(town.people).find(isReady)
  if (node === undefined || person === undefined) {
    count(found.counts, 'rounds without anybody ready')
    return found
  }
  const files = ['', '-wal', '-shm'].map((end) => join(town.folder, 'data', `watchword.sqlite3${end}`))
  const injection = await injectFaults(node.pid, what, files)
  await live(town, person, random, found)
  const hit = await injection.end()
  count(found.counts, hit > 0 ? 'failed calls' : 'rounds past the last call', Math.max(1, hit))
  if (!node.isAlive()) {
    found.violations.push(`${what.call} ${what.fault} at ${what.when} ended the server.`)
    await town.kill(node)
    await town.start()
  }
  gather(found, await untilBack(town, random))
  const settled = await settle(town, [person], random)
  gather(found, {
    ...settled,
    violations: settled.violations.map((each) => `${what.call} ${what.fault} at ${what.when}: ${each}`),
  })
  // The fault is over, and so it is for everybody.
  const other = random.shuffled(town.people).find(isReady)
  const deed = other && signIn(other)
  if (other !== undefined && deed !== undefined) {
    const done = await perform(other, node.isAlive() ? node : town.node(random), deed)
    if (done.kind !== 'done')
      found.violations.push(`After ${what.call} ${what.fault} at ${what.when} a sign-in is ${done.kind}.`)
    else count(found.counts, 'sign-ins afterwards')
  }
  return found
}

/** Signs in, sets up another authenticator and signs out, as far as it is let. */
async function live(town: Town, person: Person, random: Random, found: Findings): Promise<void> {
  const act = async (deed: Parameters<typeof perform>[2]) => {
    if (person.perhaps !== undefined) return undefined
    const done = await perform(person, town.node(random), deed)
    if (done.kind === 'done') count(found.counts, 'acknowledged')
    if (done.kind === 'in doubt')
      count(found.counts, done.why === 'fault' ? 'answered with a fault' : 'answers lost')
    if (done.kind === 'refused' && done.status !== 429)
      found.violations.push(`${deed.name} was refused: ${done.status} ${done.code}.`)
    return done.kind === 'done' ? done.reply : undefined
  }
  const deed = signIn(person)
  if (deed !== undefined) await act(deed)
  const session = person.world.sessions.at(-1)
  if (session === undefined) return
  if (person.world.devices.length < 4) {
    const name = `n${random.below(1e9)}`
    const begun = await act(beginEnrolment({ session: session.token }, name))
    if (begun !== undefined) await act(confirmEnrolment(shownDevice(begun, name), session))
  }
  const last = person.world.sessions.at(-1)
  if (last !== undefined) await act(signOut(last))
}

const isReady = (person: Person): boolean =>
  person.restsUntil <= Date.now() && person.perhaps === undefined && signIn(person) !== undefined
