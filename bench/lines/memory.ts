import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench, Line, Measurement } from '../support/line.ts'
import { closedLoop } from '../support/load.ts'
import { People, sessionChecks } from '../support/people.ts'
import { residentMebibytes, type StartedServer } from '../support/processes.ts'
import { startBare, startWatchword } from '../support/servers.ts'

/** Resident memory: after start, while people sign in, and after many session checks. */
export const memory: Measurement = { names: ['memory-idle', 'memory-sign-ins', 'memory-growth'], run }

async function run(bench: Bench): Promise<Line[]> {
  const milliseconds = bench.quick ? 4000 : 15_000
  // The first start fills the compile cache; one that compiles holds more than any later one.
  await (await startWatchword(bench)).stop()
  const server = await startWatchword(bench)
  const idle = await idleMebibytes(server)
  const underLoad = await highestWhile(server, () =>
    closedLoop(server.port, new People().signIns, { concurrency: 8, milliseconds }),
  )
  await server.stop()

  const bare = await startBare(bench, 'real')
  const bareIdle = await idleMebibytes(bare)
  await bare.stop()

  const second = await startWatchword(bench)
  const check = async (requests: number) => {
    const { times } = await closedLoop(second.port, sessionChecks(), { concurrency: 16, requests })
    if (times.length !== requests) throw new Error('A session check was not answered 200.')
    await sleep(1000)
    return residentMebibytes(second.pid)
  }
  const warm = await check(20_000)
  const after = await check(100_000)
  await second.stop()

  const atMost = { must: 'be at most', unit: 'MiB', digits: 1 } as const
  return [
    {
      ...atMost,
      name: 'memory-idle',
      what: 'Resident memory after start',
      measured: idle,
      target: 110,
      behind: [`bare server ${bareIdle.toFixed(0)} MiB`],
    },
    {
      ...atMost,
      name: 'memory-sign-ins',
      what: '… while people sign in, 8 at once, 2 hash threads: the highest',
      measured: underLoad,
      target: 160,
      behind: [`over ${milliseconds / 1000} s`],
    },
    {
      ...atMost,
      name: 'memory-growth',
      what: '… growth by 100,000 session checks, after 20,000 to warm up',
      measured: after - warm,
      target: 10,
      behind: [`from ${warm.toFixed(1)} to ${after.toFixed(1)} MiB`],
    },
  ]
}

async function idleMebibytes({ pid }: StartedServer): Promise<number> {
  await sleep(2000)
  return residentMebibytes(pid)
}

async function highestWhile({ pid }: StartedServer, work: () => Promise<unknown>): Promise<number> {
  let highest = 0
  const timer = setInterval(() => {
    highest = Math.max(highest, residentMebibytes(pid))
  }, 50)
  await work()
  clearInterval(timer)
  return highest
}
