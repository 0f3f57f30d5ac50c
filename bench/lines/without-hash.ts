import type { Bench, Line, Measurement } from '../support/line.ts'
import { closedLoop } from '../support/load.ts'
import { median, percentile } from '../support/numbers.ts'
import { People } from '../support/people.ts'
import { cpuSeconds, type StartedServer } from '../support/processes.ts'
import { startBare, startHashRate, startWithoutHash } from '../support/servers.ts'

/** Sign-ins with the password hash taken out: what is left is the server's own work. */
export const withoutHash: Measurement = { names: ['processor', 'without-hash'], run }

async function run(bench: Bench): Promise<Line[]> {
  const server = await startWithoutHash(bench)
  const bare = await startBare(bench, 'least')
  const hash = startHashRate(bench, 'least')
  const [people, barePeople] = [new People(), new People()]
  const rounds = bench.quick ? 2 : 7
  const requests = bench.quick ? 800 : 2000
  // A sign-in runs much code, which the engine compiles bit by bit; a server that runs for days has done that.
  for (const [each, theirs] of [
    [server, people],
    [bare, barePeople],
  ] as const) {
    await measure(each, theirs, 8, bench.quick ? 2000 : 6000)
  }
  const ours: Measured[] = []
  const theirs: Measured[] = []
  const alone: Measured[] = []
  const aloneBare: Measured[] = []
  const hashCpu: number[] = []
  for (let round = 0; round < rounds; round++) {
    ours.push(await measure(server, people, 8, requests))
    theirs.push(await measure(bare, barePeople, 8, requests))
    // One after another, as it is on a quiet day: nobody shares a commit with anybody.
    alone.push(await measure(server, people, 1, requests / 4))
    aloneBare.push(await measure(bare, barePeople, 1, requests / 4))
    hashCpu.push((await hash.measure(300)).cpuEach)
  }
  await Promise.all([server.stop(), bare.stop(), hash.stop()])

  const middle = (list: readonly Measured[], figure: keyof Measured) =>
    median(list.map((each) => each[figure]))
  const milliseconds = (list: readonly Measured[]) => (middle(list, 'cpuEach') - median(hashCpu)) * 1000
  return [
    {
      name: 'processor',
      what: 'Processor time of a sign-in beyond its password hash, one at a time or 8 at once, whichever is more',
      measured: Math.max(milliseconds(ours), milliseconds(alone)),
      target: 1.5,
      must: 'be at most',
      unit: 'ms',
      digits: 2,
      behind: [
        `one at a time ${milliseconds(alone).toFixed(2)} ms, 8 at once ${milliseconds(ours).toFixed(2)} ms`,
        `bare server ${milliseconds(aloneBare).toFixed(2)} and ${milliseconds(theirs).toFixed(2)} ms`,
      ],
    },
    {
      name: 'without-hash',
      what: 'Sign-ins per second with the hash taken out, 8 at once ÷ bare server',
      measured: middle(ours, 'rate') / middle(theirs, 'rate'),
      target: 0.4,
      must: 'be at least',
      unit: '',
      digits: 2,
      behind: [
        `${middle(ours, 'rate').toFixed(0)}/s, bare server ${middle(theirs, 'rate').toFixed(0)}/s`,
        `one at a time p50 ${middle(alone, 'p50').toFixed(2)} ms, bare server ${middle(aloneBare, 'p50').toFixed(2)} ms`,
      ],
    },
  ]
}

interface Measured {
  readonly rate: number
  readonly p50: number
  /** Processor seconds of one sign-in. */
  readonly cpuEach: number
}

async function measure(
  { port, pid }: StartedServer,
  people: People,
  concurrency: number,
  requests: number,
): Promise<Measured> {
  const before = cpuSeconds(pid)
  const { rate, times, statuses } = await closedLoop(port, people.signIns, { concurrency, requests })
  if (times.length !== requests) throw new Error(`Sign-ins were answered ${JSON.stringify([...statuses])}.`)
  return { rate, p50: percentile(times, 0.5), cpuEach: (cpuSeconds(pid) - before) / requests }
}
