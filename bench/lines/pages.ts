import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { request } from '../support/http.ts'
import type { Bench, Line, Measurement } from '../support/line.ts'
import { closedLoop } from '../support/load.ts'
import { median, percentile } from '../support/numbers.ts'
import { cpuSeconds, type StartedServer } from '../support/processes.ts'
import { startBarePages, startWatchword } from '../support/servers.ts'
import { Visitor } from '../support/visitor.ts'

/** `GET /login` by people who were never here, beside the framework alone with the same bytes. */
export const pages: Measurement = { names: ['pages'], run }

async function run(bench: Bench): Promise<Line[]> {
  const server = await startWatchword(bench)
  const answer = join(bench.data.folder, 'login-page.json')
  const { bytes, body, headers } = await loginPage(server)
  writeFileSync(answer, JSON.stringify({ body, headers }))
  const bare = await startBarePages(bench, answer)
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
      name: 'pages',
      what: 'GET /login per second, 16 at once ÷ bare framework with the same bytes',
      measured: middle(ours, 'rate') / middle(theirs, 'rate'),
      target: 0.5,
      must: 'be at least',
      unit: '',
      digits: 2,
      behind: [
        `${middle(ours, 'rate').toFixed(0)}/s, bare framework ${middle(theirs, 'rate').toFixed(0)}/s`,
        `p99 ${middle(ours, 'p99').toFixed(1)} and ${middle(theirs, 'p99').toFixed(1)} ms`,
        `processor ${(middle(ours, 'cpuEach') * 1e6).toFixed(0)} and ${(middle(theirs, 'cpuEach') * 1e6).toFixed(0)} µs each`,
        `${(bytes / 1000).toFixed(1)} KB each`,
      ],
    },
  ]
}

/** What the server answers; the connection's own headers are left to whoever sends it. */
async function loginPage({ port }: StartedServer) {
  const visitor = new Visitor(port)
  const { text: body, bytes, headers } = await visitor.get('/login')
  visitor.close()
  const { date: _, connection: __, 'keep-alive': ___, ...rest } = headers
  return { body, bytes, headers: { ...rest, 'set-cookie': String(rest['set-cookie']) } }
}

interface Measured {
  readonly rate: number
  readonly p99: number
  readonly cpuEach: number
}

async function measure({ port, pid }: StartedServer, milliseconds: number): Promise<Measured> {
  const bytes = request('GET', '/login', { headers: { accept: 'text/html', 'accept-language': 'en' } })
  const before = cpuSeconds(pid)
  const limit = { concurrency: 16, milliseconds }
  const { rate, times, statuses } = await closedLoop(port, () => ({ bytes }), limit)
  if (statuses.size !== 1) throw new Error(`Pages were answered ${JSON.stringify([...statuses])}.`)
  return { rate, p99: percentile(times, 0.99), cpuEach: (cpuSeconds(pid) - before) / times.length }
}
