import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { percentile } from '../../bench/support/numbers.ts'
import { vhostConfiguration } from '../../src/apache/vhost.ts'
import { type Apache, request, startApache } from '../../test/support/apache.ts'
import { freePort } from '../../test/support/free-port.ts'
import { holdingOf, until } from '../support/bounded.ts'
import type { Random } from '../support/random.ts'
import { seededRandom } from '../support/random.ts'
import { untilBack } from '../support/town/fault.ts'
import { count, gather, noFindings, settle } from '../support/town/settle.ts'
import { foundTown, type Town } from '../support/town/town.ts'
import { visit } from '../support/town/visit.ts'
import type { Judgement, Samples, Size, Stage, Trial } from '../support/trial.ts'

/** How slowhttptest goes slow, and where to. */
const modes = {
  headers: ['-H', '/login'],
  bodies: ['-B', '/auth/login/'],
  readers: ['-X', '/openapi.json'],
  ranges: ['-R', '/openapi.json'],
} as const
type Mode = keyof typeof modes

const ways = ['to the server', 'through Apache'] as const

const plans: Readonly<Record<Size, { readonly connections: number; readonly seconds: number }>> = {
  ci: { connections: 300, seconds: 4 },
  soak: { connections: 2000, seconds: 120 },
  release: { connections: 2000, seconds: 600 },
}

/** 95 of 100 people wait for less, in milliseconds. */
const LONGEST_MS = 2000

/** Connections that give and take their bytes as slowly as they may. */
export const slowClients: Trial = {
  id: 'FT-SLOW-1',
  name: 'slow-clients',
  holds:
    'While clients send headers and bodies, and read answers, as slowly as they can, others are served within two seconds, and descriptors return (I7, I8).',
  rounds: 'onslaughts of slowhttptest, of four kinds on two ways',
  // slowhttptest and Apache's own time-outs set the pace: a round is long, and there are few.
  sizes: { ci: 8, soak: 40, release: 8 },
  needs: [...Object.keys(modes).map((mode) => `slow ${mode}`), ...ways, 'answers to others'],
  patience: 1500,
  begin,
  judge: judged,
}

interface Here {
  readonly town: Town
  readonly apache: Apache
  readonly idle: number
}

async function begin({ folder, size }: Stage) {
  const port = await freePort()
  const { connections, seconds } = plans[size]
  const random = seededRandom('slow-clients', folder)
  const town = await foundTown({
    ...{ folder: join(folder, 'town'), people: 30, random },
    env: { WATCHWORD_LISTEN: `127.0.0.1:${port}` },
  })
  const node = await town.start('launched')
  const apache = await startApache({
    // Apache reads a head with a worker of its own: how many it has is how many slow ones it bears for twenty seconds.
    extra: `ThreadsPerChild 64\nServerLimit 64\nMaxRequestWorkers ${64 * Math.ceil((connections + 128) / 64)}`,
    vhost: (site) => vhostConfiguration({ ...site, backend: { kind: 'tcp', host: '127.0.0.1', port } }),
  })
  await town.wakeAdmin()
  const here = { town, apache, idle: holdingOf(node.pid).descriptors }
  return {
    round: (number: number, chance: Random) =>
      oneRound(here, number, { random: chance, connections, seconds }),
    async end() {
      const found = noFindings()
      gather(found, await settle(town, town.people, random))
      await apache.stop()
      await town.close()
      return { violations: found.violations }
    },
  }
}

async function oneRound(
  { town, apache, idle }: Here,
  number: number,
  plan: { readonly random: Random; readonly connections: number; readonly seconds: number },
) {
  await town.wakeAdmin()
  const [node] = town.nodes
  if (node === undefined) throw new Error('No server is there.')
  const mode = Object.keys(modes)[(number >> 1) % 4] as Mode // One of its own keys.
  const way = ways[number % 2] ?? ways[0]
  const found = noFindings()
  const [option, path] = modes[mode]
  const base =
    way === 'to the server' ? `http://127.0.0.1:${node.port}` : `https://127.0.0.1:${apache.httpsPort}`
  const endSlow = startSlow([option, '-u', base + path], plan)
  const port = way === 'to the server' ? node.port : apache.httpsPort
  const times: number[] = []
  let [most, connected] = [0, 0]
  // Linux takes long to tell of all connections.
  const looks = (plan.seconds * 1000) / 15
  let lookAt = performance.now() + looks
  for (const end = performance.now() + plan.seconds * 1000; performance.now() < end; ) {
    const began = performance.now()
    const status = await (way === 'to the server' ? ofServer(town, plan.random) : ofApache(apache))
    times.push(performance.now() - began)
    count(found.counts, 'answers to others')
    if (status !== 200) count(found.counts, 'not answered in time')
    most = Math.max(most, holdingOf(node.pid).descriptors)
    if (performance.now() > lookAt) {
      connected = Math.max(connected, connectionsTo(port))
      lookAt = performance.now() + looks
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await endSlow()
  count(found.counts, `slow ${mode}`, connected)
  count(found.counts, way)
  gather(found, await untilBack(town, plan.random))
  // A kept connection of Apache's to us lasts for seconds after.
  const isBack = await until(() => holdingOf(node.pid).descriptors <= idle + 12, 30_000)
  if (!isBack) found.violations.push(`${holdingOf(node.pid).descriptors} descriptors are open, ${idle} were`)
  const failed = found.counts['not answered in time'] ?? 0
  if (failed > 0.05 * times.length)
    found.violations.push(`${failed} of ${times.length} people were not answered`)
  return { ...found, samples: { [`ms ${way}`]: times.map(Math.round), descriptors: [most] } }
}

/** Starts slowhttptest; gives what ends it. */
function startSlow(
  words: readonly string[],
  { connections, seconds }: { readonly connections: number; readonly seconds: number },
): () => Promise<void> {
  const many = ['-c', connections, '-r', connections, '-l', seconds + 30, '-i', 2, '-x', 8, '-p', 3].map(
    String,
  )
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'slowhttptest', ...words, ...many], {
    stdio: 'ignore',
  })
  const ended = once(child, 'exit')
  return async () => {
    if (child.exitCode === null) child.kill('SIGKILL')
    await ended
  }
}

/** How many connections a port of this machine has at this moment, as Linux counts them. */
function connectionsTo(port: number): number {
  const here = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const established = '01'
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(here) === true && state === established).length
}

/** Somebody's session, asked for on a new connection. */
async function ofServer(town: Town, random: Random): Promise<number> {
  const { address } = random.pick(town.people)
  const session = town.adminSession()
  const { port } = town.node(random)
  const reply = await visit(
    { port, agent: new Agent() },
    { method: 'GET', path: '/auth/session/', session, address },
  )
  return reply.kind === 'answered' ? reply.status : 0
}

/** The page to sign in, asked for on a new connection. */
async function ofApache({ httpsPort, serverName, certificate }: Apache): Promise<number> {
  try {
    return (await request({ port: httpsPort, path: '/login', serverName, ca: certificate })).status
  } catch {
    return 0 // Nobody answered in time, which is counted.
  }
}

function judged(samples: Samples): Judgement {
  const figures: Record<string, number> = {}
  const violations: string[] = []
  for (const way of ways) {
    const times = samples[`ms ${way}`] ?? []
    if (times.length === 0) continue
    const p95 = Math.round(percentile(times, 0.95))
    figures[`p95 ms ${way}`] = p95
    if (p95 > LONGEST_MS) violations.push(`95 of 100 people wait up to ${p95} ms ${way}.`)
  }
  figures['descriptors at most'] = Math.max(0, ...(samples.descriptors ?? []))
  return { figures, violations }
}
