import type { Bench, Line, Measurement } from '../support/line.ts'
import { closedLoop, openLoop } from '../support/load.ts'
import { median, percentile } from '../support/numbers.ts'
import { People, sessionChecks } from '../support/people.ts'
import { startHashRate, startWatchword } from '../support/servers.ts'

const TIMES = 20

/** Session checks while twenty times as many people want to sign in as passwords can be hashed. */
export const flood: Measurement = { names: ['flood', 'flood-errors', 'refusals'], run }

async function run(bench: Bench): Promise<Line[]> {
  const hash = startHashRate(bench, 'real')
  const { rate: hashRate } = await hash.measure(bench.quick ? 1500 : 3000)
  await hash.stop()
  const server = await startWatchword(bench)
  const people = new People()
  const milliseconds = bench.quick ? 4000 : 8000
  const rounds = bench.quick ? 1 : 3
  const check = () => closedLoop(server.port, sessionChecks(), { concurrency: 4, milliseconds })
  const quiet = await closedLoop(server.port, sessionChecks(), { concurrency: 4, milliseconds: 2000 })
  const checks: { p99: number; rate: number; errors: number }[] = []
  const refusalTimes: number[] = []
  let [offered, dropped, accepted, strange] = [0, 0, 0, 0]
  for (let round = 0; round < rounds; round++) {
    const [flooding, outcome] = await Promise.all([
      openLoop(server.port, people.signIns, {
        rate: TIMES * hashRate,
        connections: 256,
        milliseconds: milliseconds + 500,
      }),
      new Promise((resolve) => setTimeout(resolve, 250)).then(check),
    ])
    const errors = [...outcome.statuses].reduce(
      (sum, [status, count]) => (status === 200 ? sum : sum + count),
      0,
    )
    checks.push({ p99: percentile(outcome.times, 0.99), rate: outcome.rate, errors })
    offered += flooding.offered
    dropped += flooding.dropped
    for (const [status, times] of flooding.times) {
      if (status === 200) accepted += times.length
      else if (status === 503 || status === 429) refusalTimes.push(...times)
      else strange += times.length
    }
  }
  await server.stop()

  const errors = checks.reduce((sum, each) => sum + each.errors, 0) + strange
  const seconds = (rounds * (milliseconds + 500)) / 1000
  return [
    {
      name: 'flood',
      what: `p99 of GET /auth/session/, 4 at once, while sign-ins come at ${TIMES} times what the hash allows`,
      measured: median(checks.map(({ p99 }) => p99)),
      target: 30,
      must: 'be at most',
      unit: 'ms',
      digits: 1,
      behind: [
        `${median(checks.map(({ rate }) => rate)).toFixed(0)} checks/s`,
        `in quiet ${quiet.rate.toFixed(0)}/s, p99 ${percentile(quiet.times, 0.99).toFixed(1)} ms`,
      ],
    },
    {
      name: 'flood-errors',
      what: '… checks and sign-ins answered neither as they should nor 503/429',
      measured: errors,
      target: 0,
      must: 'be at most',
      unit: '',
      digits: 0,
      behind: [
        `offered ${(offered / seconds).toFixed(0)} sign-ins/s (${(offered / seconds / hashRate).toFixed(1)} × ${hashRate.toFixed(0)})`,
        `${(accepted / seconds).toFixed(0)}/s signed in, ${(refusalTimes.length / seconds).toFixed(0)}/s refused`,
        ...(dropped > 0 ? [`${dropped} found no connection for a second`] : []),
      ],
    },
    {
      name: 'refusals',
      what: '… p99 of what is refused with 503 or 429',
      measured: percentile(refusalTimes, 0.99),
      target: 100,
      must: 'be at most',
      unit: 'ms',
      digits: 1,
      behind: [`p50 ${percentile(refusalTimes, 0.5).toFixed(1)} ms`],
    },
  ]
}
