import type { Bench, Line, Measurement } from '../support/line.ts'
import { closedLoop, type Outcome } from '../support/load.ts'
import { median, percentile } from '../support/numbers.ts'
import { People } from '../support/people.ts'
import { HASH_THREADS, startBare, startHashRate, startWatchword } from '../support/servers.ts'

/** Full sign-ins with the real password hash, beside the rate of that hash alone. */
export const signIns: Measurement = { names: ['sign-ins', 'queue'], run }

async function run(bench: Bench): Promise<Line[]> {
  const server = await startWatchword(bench)
  const bare = await startBare(bench, 'real')
  const hash = startHashRate(bench, 'real')
  const [people, barePeople] = [new People(), new People()]
  const milliseconds = bench.quick ? 1000 : 1500
  const rounds = bench.quick ? 4 : 14
  const alone: number[] = []
  const eight: Outcome[] = []
  const bareRates: number[] = []
  const ratios: number[] = []
  const queueing: number[] = []
  let slowest = 0
  let failures = 0
  // The engine compiles what runs often; a server that has run for some minutes is what is measured.
  const warmUp = { concurrency: 32, requests: bench.quick ? 100 : 4000 }
  await closedLoop(server.port, people.signIns, warmUp)
  await closedLoop(bare.port, barePeople.signIns, warmUp)
  let { rate: before } = await hash.measure(milliseconds)
  for (let round = 0; round <= rounds; round++) {
    const eightAtOnce = await closedLoop(server.port, people.signIns, { concurrency: 8, milliseconds })
    const { rate: between } = await hash.measure(milliseconds)
    const crowd = await closedLoop(server.port, people.signIns, { concurrency: 32, milliseconds })
    const { rate: after } = await hash.measure(milliseconds)
    const ofBare = await closedLoop(bare.port, barePeople.signIns, { concurrency: 8, milliseconds })
    failures += othersThan200(eightAtOnce) + othersThan200(crowd) + othersThan200(ofBare)
    // The first round warms up. The others are each held against the hash just before and after, for the
    // machine's speed drifts.
    if (round > 0) {
      alone.push(between, after)
      eight.push(eightAtOnce)
      bareRates.push(ofBare.rate)
      ratios.push(eightAtOnce.rate / ((before + between) / 2))
      const p99 = percentile(crowd.times, 0.99)
      slowest = Math.max(slowest, p99)
      queueing.push(p99 / ((32 / ((between + after) / 2)) * 1000))
    }
    before = after
  }
  await Promise.all([server.stop(), bare.stop(), hash.stop()])
  if (failures > 0) throw new Error(`${failures} sign-ins were not answered 200.`)

  const rate = median(eight.map((outcome) => outcome.rate))
  const hashRate = median(alone)
  const times = eight.flatMap((outcome) => outcome.times)
  return [
    {
      name: 'sign-ins',
      what: 'Full sign-ins per second, 8 at once ÷ rate of the password hash alone',
      measured: median(ratios),
      target: 0.85,
      must: 'be at least',
      unit: '',
      digits: 2,
      behind: [
        `${rate.toFixed(0)} sign-ins/s`,
        `p50 ${percentile(times, 0.5).toFixed(0)} ms, p99 ${percentile(times, 0.99).toFixed(0)} ms`,
        `argon2id alone ${hashRate.toFixed(0)}/s with ${HASH_THREADS} threads`,
        `bare server ${median(bareRates).toFixed(0)}/s (${(median(bareRates) / hashRate).toFixed(2)})`,
      ],
    },
    {
      name: 'queue',
      what: 'p99 of sign-ins, 32 at once ÷ ideal queue (32 / hash rate)',
      measured: median(queueing),
      target: 1.6,
      must: 'be at most',
      unit: '',
      digits: 2,
      behind: [
        `slowest p99 of a round ${slowest.toFixed(0)} ms`,
        `ideal ${((32 / hashRate) * 1000).toFixed(0)} ms`,
      ],
    },
  ]
}

function othersThan200({ statuses }: Outcome): number {
  let count = 0
  for (const [status, times] of statuses) if (status !== 200) count += times
  return count
}
