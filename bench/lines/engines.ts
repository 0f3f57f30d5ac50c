import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { root } from '../../scripts/lib/runtime.js'
import { startPostgres } from '../../test/support/postgres.ts'
import { settingsOf } from '../support/data.ts'
import type { Bench, Line, Measurement } from '../support/line.ts'
import { closedLoop, type Limit, type Source } from '../support/load.ts'
import { median, percentile } from '../support/numbers.ts'
import { sessionChecks as checks, People } from '../support/people.ts'
import type { StartedServer } from '../support/processes.ts'
import { startWatchword } from '../support/servers.ts'

/** The same people on SQLite and on PostgreSQL, and there with one node and with two. */
export const engines: Measurement = { names: ['postgres', 'two-nodes'], run }

async function run(bench: Bench): Promise<Line[]> {
  const folder = bench.data.watchword('real')
  const postgres = await startPostgres()
  try {
    const url = await postgres.createDatabase('bench')
    await promisify(execFile)(process.execPath, ['bin/watchword.js', 'move', '--to', url], {
      cwd: root,
      env: { PATH: process.env.PATH, ...settingsOf(folder) },
    })
    const onPostgres = () => startWatchword(bench, { WATCHWORD_DATABASE: url }, folder)
    const file = await startWatchword(bench, {}, bench.data.watchword('real'))
    const [first, second] = [await onPostgres(), await onPostgres()]
    const [ofFile, ofPostgres] = [new People(), new People()]
    const ways: readonly Way[] = [
      { name: 'file', servers: [file], signIns: ofFile.signIns },
      { name: 'one', servers: [first], signIns: ofPostgres.signIns },
      { name: 'two', servers: [first, second], signIns: ofPostgres.signIns },
    ]
    const milliseconds = bench.quick ? 1000 : 2000
    for (const way of ways) await measure(way, { milliseconds: 2 * milliseconds })
    const rounds: Record<Way['name'], Measured>[] = []
    for (let round = 0; round < (bench.quick ? 3 : 9); round++) {
      const measured: [string, Measured][] = []
      for (const way of ways) measured.push([way.name, await measure(way, { milliseconds })])
      rounds.push(Object.fromEntries(measured) as Record<Way['name'], Measured>) // One for each way.
    }
    await Promise.all([file, first, second].map((server) => server.stop()))
    return linesOf(rounds)
  } finally {
    await postgres.stop()
  }
}

interface Way {
  readonly name: 'file' | 'one' | 'two'
  /** They share what is asked. */
  readonly servers: readonly StartedServer[]
  readonly signIns: Source
}

interface Figure {
  readonly rate: number
  readonly p99: number
}

interface Measured {
  readonly signIns: Figure
  readonly checks: Figure
}

async function measure({ servers, signIns }: Way, limit: Limit): Promise<Measured> {
  return {
    signIns: await load(servers, { source: signIns, concurrency: 8, ...limit }),
    checks: await load(servers, { source: checks(), concurrency: 16, ...limit }),
  }
}

async function load(
  servers: readonly StartedServer[],
  { source, concurrency, ...limit }: Limit & { readonly source: Source; readonly concurrency: number },
): Promise<Figure> {
  const outcomes = await Promise.all(
    servers.map(({ port }) =>
      closedLoop(port, source, { ...limit, concurrency: concurrency / servers.length }),
    ),
  )
  const others = outcomes.flatMap(({ statuses }) => [...statuses]).filter(([status]) => status !== 200)
  if (others.length > 0) throw new Error(`Answered ${JSON.stringify(others)}.`)
  const times = outcomes.flatMap(({ times }) => times)
  return { rate: outcomes.reduce((sum, { rate }) => sum + rate, 0), p99: percentile(times, 0.99) }
}

function linesOf(rounds: readonly Readonly<Record<Way['name'], Measured>>[]): Line[] {
  const line = (
    [name, what, target]: readonly [string, string, number],
    kind: keyof Measured,
    [ours, theirs]: readonly [Way['name'], Way['name']],
  ): Line => {
    const middle = (way: Way['name'], figure: keyof Figure) =>
      median(rounds.map((round) => round[way][kind][figure]))
    return {
      ...{ name, what, target, must: 'be at least', unit: '', digits: 2 },
      measured: median(rounds.map((round) => round[ours][kind].rate / round[theirs][kind].rate)),
      behind: [
        `${middle(ours, 'rate').toFixed(0)} and ${middle(theirs, 'rate').toFixed(0)}/s`,
        `p99 ${middle(ours, 'p99').toFixed(1)} and ${middle(theirs, 'p99').toFixed(1)} ms`,
      ],
    }
  }
  return [
    line(['postgres', 'Sign-ins per second on PostgreSQL ÷ SQLite, 8 at once', 0.7], 'signIns', [
      'one',
      'file',
    ]),
    line(['postgres', 'Session checks per second on PostgreSQL ÷ SQLite, 16 at once', 0.08], 'checks', [
      'one',
      'file',
    ]),
    line(['two-nodes', 'Sign-ins per second of two nodes ÷ one, 8 at once', 0.9], 'signIns', ['two', 'one']),
    line(['two-nodes', 'Session checks per second of two nodes ÷ one, 16 at once', 0.9], 'checks', [
      'two',
      'one',
    ]),
  ]
}
