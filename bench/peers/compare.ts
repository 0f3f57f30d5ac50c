import { once } from 'node:events'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { totp } from '../../test/world.ts'
import { request } from '../support/http.ts'
import type { Bench } from '../support/line.ts'
import { closedLoop } from '../support/load.ts'
import { median, percentile } from '../support/numbers.ts'
import { addressOf, PASSWORD, People, sessionChecks } from '../support/people.ts'
import { startNode } from '../support/processes.ts'
import { startHashRate, startWatchword } from '../support/servers.ts'
import { installPeers } from './install.ts'

const ORIGIN = 'https://auth.example.com'

/** One of the programs that are compared. */
interface Peer {
  readonly name: string
  readonly port: number
  /** Password, then code: the two requests by which the next person signs in. */
  readonly steps: () => readonly [Step, Step]
  readonly checks: ReturnType<typeof sessionChecks>
  /** Of its own password hash, for so many milliseconds; per second. */
  readonly hashRate: (milliseconds: number) => Promise<number>
  readonly stop: () => Promise<unknown>
}

interface Step {
  readonly path: string
  readonly fields: object
  readonly headers: Readonly<Record<string, string>>
}

interface Round {
  readonly hash: number
  readonly signIns: { readonly rate: number; readonly times: readonly number[] }
  readonly checks: { readonly rate: number; readonly times: readonly number[] }
}

/** Prints what Watchword and its peers do in turns: sign-ins by two requests, and checks of a session. */
export async function comparePeers(bench: Bench): Promise<void> {
  const folder = installPeers()
  const peers = [await startOurs(bench), await startBetterAuth(bench, folder)]
  const milliseconds = bench.quick ? 1000 : 3000
  const rounds = new Map(peers.map((peer) => [peer.name, [] as Round[]]))
  for (let round = 0; round <= (bench.quick ? 2 : 7); round++) {
    for (const peer of peers) {
      const measured = await measure(peer, milliseconds)
      // The first round warms up.
      if (round > 0) rounds.get(peer.name)?.push(measured)
    }
  }
  for (const peer of peers) await peer.stop()
  for (const [name, list] of rounds) tell(name, list)
}

async function measure(peer: Peer, milliseconds: number): Promise<Round> {
  const before = await peer.hashRate(milliseconds / 2)
  const signIns = await signInLoop(peer, milliseconds)
  const after = await peer.hashRate(milliseconds / 2)
  const checks = await closedLoop(peer.port, peer.checks, { concurrency: 16, milliseconds })
  if (checks.statuses.size !== 1)
    throw new Error(`${peer.name}: checks were answered ${JSON.stringify([...checks.statuses])}`)
  return { hash: (before + after) / 2, signIns, checks }
}

/** Eight people at once, each over a kept connection. */
async function signInLoop(
  { name, port, steps }: Peer,
  milliseconds: number,
): Promise<{ rate: number; times: number[] }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const times: number[] = []
  const began = performance.now()
  const person = async () => {
    while (performance.now() - began < milliseconds) {
      const [password, code] = steps()
      const started = performance.now()
      const first = await post(agent, port, password)
      const cookie = (first.headers['set-cookie'] ?? []).map((line) => line.split(';')[0]).join('; ')
      const second = await post(agent, port, { ...code, headers: { ...code.headers, cookie } })
      const statuses = [first.statusCode, second.statusCode]
      if (statuses.join() !== '200,200') throw new Error(`${name}: a sign-in was answered ${statuses}`)
      times.push(performance.now() - started)
    }
  }
  await Promise.all(Array.from({ length: 8 }, person))
  agent.destroy()
  return { rate: times.length / ((performance.now() - began) / 1000), times }
}

function post(agent: Agent, port: number, { path, fields, headers }: Step): Promise<IncomingMessage> {
  const body = JSON.stringify(fields)
  return new Promise((resolve, reject) => {
    const all = {
      ...{ host: new URL(ORIGIN).host, 'content-type': 'application/json' },
      ...{ 'content-length': Buffer.byteLength(body), ...headers },
    }
    const outgoing = httpRequest({ host: '127.0.0.1', port, path, method: 'POST', agent, headers: all })
    outgoing.on('error', reject)
    outgoing.on('response', (answer) => {
      answer.resume().on('error', reject)
      answer.on('end', () => resolve(answer))
    })
    outgoing.end(body)
  })
}

async function startOurs(bench: Bench): Promise<Peer> {
  const server = await startWatchword(bench)
  const hash = startHashRate(bench, 'real')
  const people = new People()
  let next = 0
  return {
    name: 'Watchword',
    port: server.port,
    checks: sessionChecks(),
    steps: () => {
      const { username, password, otp } = people.signInOf(next)
      const headers = { 'x-forwarded-for': addressOf(next++) }
      return [
        { path: '/auth/login/', fields: { username, password }, headers },
        { path: '/auth/verify/', fields: { otp }, headers },
      ]
    },
    hashRate: async (milliseconds) => (await hash.measure(milliseconds)).rate,
    stop: () => Promise.all([server.stop(), hash.stop()]),
  }
}

async function startBetterAuth(bench: Bench, folder: string): Promise<Peer> {
  const script = join(folder, 'better-auth.js')
  const env = { NODE_ENV: 'production' }
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc'] as const
  const start = (...args: readonly string[]) => startNode([script, ...args], { env, stdio: [...stdio] })
  const hash = start('hash', '', '', PASSWORD)
  await once(hash.child, 'message')
  const server = start('serve', join(bench.data.folder, 'better-auth.sqlite3'), ORIGIN, PASSWORD)
  const [told] = await once(server.child, 'message')
  const { port, key, cookies } = told as { port: number; key: string; cookies: string[] } // By better-auth.js.
  const checks = cookies.map((cookie) => ({
    bytes: request('GET', '/api/auth/get-session', { headers: { cookie: secure(cookie) } }),
  }))
  await assertKnown(port, secure(cookies[0] ?? ''))
  const headers = { origin: ORIGIN }
  let [next, check] = [0, 0]
  return {
    name: 'better-auth',
    port,
    checks: () => checks[check++ % checks.length],
    steps: () => {
      const email = `user${1 + (next++ % cookies.length)}@example.com`
      const code = totp(key, Math.floor(Date.now() / 1000))
      return [
        { path: '/api/auth/sign-in/email', fields: { email, password: PASSWORD }, headers },
        { path: '/api/auth/two-factor/verify-totp', fields: { code }, headers },
      ]
    },
    async hashRate(milliseconds) {
      const answer = once(hash.child, 'message')
      hash.child.send({ milliseconds })
      return (await answer)[0].rate
    },
    stop: () => Promise.all([server.stop(), hash.stop()]),
  }
}

/** It answers 200 to strangers too, with nothing in it: what is measured must be the look-up of a session. */
async function assertKnown(port: number, cookie: string): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/auth/get-session`, { headers: { cookie } })
  if (!(await answer.text()).includes('user1@example.com')) throw new Error('better-auth: no session')
}

/** Behind https its cookies have a prefix. */
const secure = (cookie: string): string => `__Secure-${cookie}`

function tell(name: string, rounds: readonly Round[]): void {
  const times = (kind: 'signIns' | 'checks') => {
    const all = rounds.flatMap((round) => round[kind].times)
    return `p50 ${percentile(all, 0.5).toFixed(1)} ms, p99 ${percentile(all, 0.99).toFixed(1)} ms`
  }
  const hash = median(rounds.map((round) => round.hash))
  const signIns = median(rounds.map((round) => round.signIns.rate))
  const ratio = median(rounds.map((round) => round.signIns.rate / round.hash))
  const checks = median(rounds.map((round) => round.checks.rate))
  console.log(name)
  console.log(`  sign-ins, 8 at once      ${signIns.toFixed(1)}/s, ${times('signIns')}`)
  console.log(`  ÷ its own password hash  ${ratio.toFixed(2)} of ${hash.toFixed(1)}/s`)
  console.log(`  session checks, 16       ${checks.toFixed(0)}/s, ${times('checks')}`)
}
