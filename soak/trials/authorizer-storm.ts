import { connect, type Socket } from 'node:net'
import { call, type LeasedPerson, type LeasedWorld, startLeased } from '../../test/support/leased.ts'
import { holdingOf, until, untilInTime } from '../support/bounded.ts'
import type { Random } from '../support/random.ts'
import { count, noFindings } from '../support/town/settle.ts'
import type { Judgement, Samples, Trial } from '../support/trial.ts'

/** Connections a second, and how long they come. */
const RATE = 5000
const SECONDS = 2
/** Members are let in again within so many milliseconds. */
const RETURN_MS = 2000

/** More connections to the authorizer than it can take. */
export const authorizerStorm: Trial = {
  id: 'FT-LOAD-3',
  name: 'authorizer-storm',
  holds:
    'Thousands of connections a second to the authorizer, and a backlog that is full, let nobody in; members are let in again within two seconds (I3, I7, I8).',
  rounds: 'storms',
  sizes: { ci: 4, soak: 200, release: 200 },
  needs: ['connections', 'full backlogs', 'strangers sent away', 'members let in after'],
  patience: 120,
  async begin() {
    const here = await startLeased('[policies.asking]\nlease = 0\n', 'two-factor')
    const member = await here.somebody()
    const { pid } = here.server()
    if ((await ask(here, member.there)) !== 200) throw new Error('A member is not let in.')
    const idle = holdingOf(pid).descriptors
    return {
      round: (number, random) => oneRound(here, { member, idle, isFull: number % 2 === 1, random }),
      async end() {
        await here.close()
        return undefined
      },
    }
  },
  judge: judged,
}

async function oneRound(
  here: LeasedWorld,
  {
    member,
    idle,
    isFull,
    random,
  }: {
    readonly member: LeasedPerson
    readonly idle: number
    readonly isFull: boolean
    readonly random: Random
  },
) {
  const found = noFindings()
  const { pid } = here.server()
  // Who does not run takes nobody from the backlog.
  if (isFull) process.kill(pid, 'SIGSTOP')
  const storm = startStorm(Number(here.settings.WATCHWORD_AUTHORIZER_LISTEN?.split(':').at(-1)), random)
  const end = performance.now() + SECONDS * 1000
  const asking = (async () => {
    while (performance.now() < end) {
      const stranger = `watchword-site=${random.bytes(32).toString('base64url')}`
      const [asStranger, asMember] = await Promise.all([ask(here, stranger), ask(here, member.there)])
      if (asStranger === 200) found.violations.push('a stranger was let in')
      else count(found.counts, 'strangers sent away')
      count(found.counts, asMember === 200 ? 'members let in meanwhile' : 'members turned away meanwhile')
    }
  })()
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000))
  count(found.counts, 'connections', await storm.end())
  if (isFull) {
    process.kill(pid, 'SIGCONT')
    count(found.counts, 'full backlogs')
  }
  const over = performance.now()
  if (await untilInTime(async () => (await ask(here, member.there)) === 200, RETURN_MS))
    count(found.counts, 'members let in after')
  else found.violations.push(`a member is not let in ${RETURN_MS} ms after`)
  const returned = Math.round(performance.now() - over)
  await asking
  if (!(await until(() => holdingOf(pid).descriptors <= idle + 12, 30_000)))
    found.violations.push(`${holdingOf(pid).descriptors} descriptors are open, ${idle} were`)
  return { ...found, samples: { 'ms to return': [returned] } }
}

/** The status for a place that is asked about each time; 0 for no answer. */
const ask = ({ site }: LeasedWorld, cookie: string): Promise<number> =>
  call(`${site}/asked/`, { cookie }).then(
    ({ status }) => status,
    () => 0,
  )

/** Connections of every kind: closed at once, with garbage, with half a record, and silent. */
function startStorm(port: number, random: Random) {
  const open = new Set<Socket>()
  let many = 0
  const one = () => {
    many++
    const socket = connect(port, '127.0.0.1')
    open.add(socket)
    socket.on('error', () => {}).on('close', () => open.delete(socket))
    const kind = random.below(4)
    socket.on('connect', () => {
      if (kind === 0) socket.resetAndDestroy()
      if (kind === 1) socket.end(random.bytes(40))
      if (kind === 2) socket.write(Buffer.from([1, 1, 0, 1, 0, 8]))
      setTimeout(() => socket.destroy(), 200)
    })
  }
  const began = performance.now()
  const timer = setInterval(() => {
    // No more at once than this process may have open.
    const due = Math.min(((performance.now() - began) / 1000) * RATE - many, 4000 - open.size)
    for (let index = 0; index < due; index++) one()
  }, 5)
  return {
    async end(): Promise<number> {
      clearInterval(timer)
      for (const socket of open) socket.destroy()
      return many
    },
  }
}

function judged({ 'ms to return': times = [] }: Samples): Judgement {
  return { figures: { 'ms to return at most': Math.max(0, ...times) }, violations: [] }
}
