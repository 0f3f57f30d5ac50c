import type { Bench, Line, Measurement } from '../support/line.ts'
import { closedLoop } from '../support/load.ts'
import { median, percentile } from '../support/numbers.ts'
import { sessionChecks as checks } from '../support/people.ts'
import { cpuSeconds, type StartedServer } from '../support/processes.ts'
import { startBare, startWatchword } from '../support/servers.ts'

/** `GET /auth/session/` with a thousand different cookies, beside the bare server's same look-up. */
export const sessionChecks: Measurement = { names: ['session-checks'], run }

async function run(bench: Bench): Promise<Line[]> {
  const server = await startWatchword(bench)
  const bare = await startBare(bench, 'real')
  const milliseconds = bench.quick ? 1000 : 2000
  const rounds = bench.quick ? 3 : 7
  for (const each of [server, bare]) await measure(each, 2 * milliseconds)
  const ours: Measured[] = []
  const theirs: Measured[] = []
  for (let round = 0; round < rounds; round++) {
    ours.push(await measure(server, milliseconds))
    theirs.push(await measure(bare, milliseconds))
  }
  await Promise.all([server.stop(), bare.stop()])

  const middle = (list: readonly Measured[], figure: keyof Measured) =>
    median(list.map((each) => each[figure]))
  return [
    {
      name: 'session-checks',
      what: 'GET /auth/session/ per second, 16 at once ÷ bare server',
      measured: middle(ours, 'rate') / middle(theirs, 'rate'),
      target: 0.6,
      must: 'be at least',
      unit: '',
      digits: 2,
      behind: [
        `${middle(ours, 'rate').toFixed(0)}/s, bare server ${middle(theirs, 'rate').toFixed(0)}/s`,
        `p99 ${middle(ours, 'p99').toFixed(1)} and ${middle(theirs, 'p99').toFixed(1)} ms`,
        `processor ${(middle(ours, 'cpuEach') * 1e6).toFixed(0)} and ${(middle(theirs, 'cpuEach') * 1e6).toFixed(0)} µs each`,
      ],
    },
  ]
}

interface Measured {
  readonly rate: number
  readonly p99: number
  readonly cpuEach: number
}

async function measure({ port, pid }: StartedServer, milliseconds: number): Promise<Measured> {
  const before = cpuSeconds(pid)
  const { rate, times, statuses } = await closedLoop(port, checks(), { concurrency: 16, milliseconds })
  if (statuses.size !== 1) throw new Error(`Session checks were answered ${JSON.stringify([...statuses])}.`)
  return { rate, p99: percentile(times, 0.99), cpuEach: (cpuSeconds(pid) - before) / times.length }
}
