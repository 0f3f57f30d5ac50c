import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { timeStepAt, totpCode } from '../../src/domain/otp/totp.ts'
import { startPostgres } from '../../test/support/postgres.ts'
import { request } from '../support/http.ts'
import type { Bench, Line, Measurement } from '../support/line.ts'
import { closedLoop, type Source } from '../support/load.ts'
import { median } from '../support/numbers.ts'
import { OTP_KEY, PASSWORD, sessionChecks } from '../support/people.ts'
import { benchFile, type StartedServer, startServer } from '../support/processes.ts'
import { ACTIVE, activeName, fillPostgres, fillSqlite, type Sized, sizeOf } from '../support/sized.ts'

/** Sign-ins without their hash, and session checks, among many people, each beside the same among a thousand. */
export const size: Measurement = { names: ['size'], run }

const FEW = 1000

/** The largest takes a quarter of an hour to make and 30 GB, so it is asked for: `WATCHWORD_BENCH_HUGE=1`. */
const sizes = [
  FEW,
  100_000,
  1_000_000,
  ...(process.env.WATCHWORD_BENCH_HUGE === undefined ? [] : [10_000_000]),
]

async function run(bench: Bench): Promise<Line[]> {
  const hash = bench.data.hashOf('least')
  const folderOf = (name: string) => {
    const folder = join(bench.data.folder, name)
    mkdirSync(folder, { mode: 0o700 })
    return folder
  }
  const many = bench.quick ? [FEW, 20_000] : sizes
  const files: Sized[] = []
  for (const people of many.filter((people) => people <= 1_000_000)) {
    files.push(await fillSqlite(folderOf(`sqlite-${people}`), { size: sizeOf(people), hash }))
  }
  const cluster = await startPostgres()
  try {
    const databases: Sized[] = []
    for (const people of many) {
      const url = await cluster.createDatabase(`size_${people}`)
      databases.push(await fillPostgres(folderOf(`postgres-${people}`), url, { size: sizeOf(people), hash }))
    }
    return [...(await compare(bench, 'SQLite', files)), ...(await compare(bench, 'PostgreSQL', databases))]
  } finally {
    await cluster.stop()
  }
}

interface Running extends Sized {
  readonly server: StartedServer
  readonly signIns: number[]
  readonly checks: number[]
}

/** All sizes in turn in each round, for the machine's speed drifts. */
export async function compare(bench: Bench, engine: string, all: readonly Sized[]): Promise<Line[]> {
  const running: Running[] = []
  for (const sized of all) {
    const options = { log: bench.log, env: { ...sized.env } }
    const server = await startServer([benchFile('server-without-hash.ts')], options)
    running.push({ ...sized, server, signIns: [], checks: [] })
  }
  const rounds = bench.quick ? 3 : 11
  for (let round = -2; round < rounds; round++) {
    for (const { server, signIns, checks, ...sized } of running) {
      await sized.renewCodes()
      const rate = await rateOf(server, signInsAmong(sized.size.people), { concurrency: 4, requests: ACTIVE })
      const checked = await rateOf(server, sessionChecks(), { concurrency: 8, milliseconds: 700 })
      // The first rounds warm up.
      if (round < 0) continue
      signIns.push(rate)
      checks.push(checked)
    }
  }
  for (const { server } of running) await server.stop()
  const [few, ...others] = running
  const most = others.at(-1)
  if (few === undefined || most === undefined) throw new Error('There is nothing to compare.')
  const line = (what: string, figure: 'signIns' | 'checks'): Line => {
    const ratio = (of: Running) => median(of[figure].map((rate, round) => rate / (few[figure][round] ?? 0)))
    return {
      name: 'size',
      what: `${what} on ${engine} among ${most.size.people.toLocaleString('en')} people ÷ among ${FEW.toLocaleString('en')}`,
      measured: ratio(most),
      target: 0.9,
      must: 'be at least',
      unit: '',
      digits: 2,
      behind: [
        ...others.map((of) => `${of.size.people.toLocaleString('en')}: ${ratio(of).toFixed(2)}`),
        `${median(few[figure]).toFixed(0)}/s among ${FEW.toLocaleString('en')}`,
      ],
    }
  }
  return [
    line('Sign-ins without their hash, 4 at once,', 'signIns'),
    line('Session checks, 8 at once,', 'checks'),
  ]
}

async function rateOf(
  { port }: StartedServer,
  source: Source,
  limit: Parameters<typeof closedLoop>[2],
): Promise<number> {
  const { rate, statuses } = await closedLoop(port, source, limit)
  if (statuses.size !== 1 || !statuses.has(200)) throw new Error(`Answered ${JSON.stringify([...statuses])}.`)
  return rate
}

/** Each who really signs in, once. */
function signInsAmong(people: number): Source {
  let next = 0
  return () => {
    if (next === ACTIVE) return undefined
    const index = next++
    const parameters = { algorithm: 'sha1', digits: 6, period: 30, t0: 0 } as const
    const otp = totpCode(OTP_KEY, timeStepAt(Math.floor(Date.now() / 1000), parameters), parameters)
    const fields = { username: activeName(index, people), password: PASSWORD, otp }
    const headers = { 'x-forwarded-for': `10.${index >> 8}.${index & 255}.1` }
    return { bytes: request('POST', '/auth/authenticate/', { headers, fields }) }
  }
}
