import { settingsOf } from '../support/data.ts'
import { Connection, request } from '../support/http.ts'
import type { Bench, Line, Measurement } from '../support/line.ts'
import { median } from '../support/numbers.ts'
import { freePort, startNode } from '../support/processes.ts'

/** From the start of `watchword serve` to its first right answer. */
export const start: Measurement = { names: ['start'], run }

async function run({ data, quick }: Bench): Promise<Line[]> {
  const folder = data.watchword('real')
  const times: number[] = []
  const alone: number[] = []
  // The first one fills the compile cache and does not count.
  for (let round = 0; round <= (quick ? 4 : 10); round++) {
    const port = await freePort()
    const env = { ...settingsOf(folder), WATCHWORD_LISTEN: `127.0.0.1:${port}` }
    const took = await millisecondsToAnswer(['bin/watchword.js', 'serve'], env, port)
    const empty = await millisecondsToEnd(['-e', '0'])
    if (round > 0) times.push(took)
    if (round > 0) alone.push(empty)
  }
  return [
    {
      name: 'start',
      what: 'From start to the first right answer, packages in place',
      measured: median(times),
      target: 350,
      must: 'be at most',
      unit: 'ms',
      digits: 0,
      behind: [
        `from ${Math.min(...times).toFixed(0)} to ${Math.max(...times).toFixed(0)} ms`,
        `Node that does nothing ${median(alone).toFixed(0)} ms`,
      ],
    },
  ]
}

/** Asks from the start on until somebody answers; it must be 401, for nobody is signed in. */
async function millisecondsToAnswer(args: string[], env: NodeJS.ProcessEnv, port: number): Promise<number> {
  const question = request('GET', '/auth/session/')
  const began = performance.now()
  const { child, stop } = startNode(args, { env, stdio: 'ignore' })
  let status = 0
  while (status === 0 && child.exitCode === null && performance.now() - began < 20_000) {
    const connection = await Connection.open(port).catch(() => undefined)
    if (connection === undefined) await new Promise((resolve) => setTimeout(resolve, 1))
    else status = await connection.ask(question)
    connection?.close()
  }
  const took = performance.now() - began
  await stop()
  if (status !== 401) throw new Error(`The server answered ${status} where 401 was due.`)
  return took
}

async function millisecondsToEnd(args: string[]): Promise<number> {
  const began = performance.now()
  const { ended } = startNode(args, { stdio: 'ignore' })
  await ended
  return performance.now() - began
}
