import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { root } from '../../../scripts/lib/runtime.js'

/** One process that serves, on a port of loopback of its own. */
export interface Node {
  readonly pid: number
  readonly port: number
  /** Connections to it; they end with it. */
  readonly agent: Agent
  /** Whether it is still there. */
  isAlive(): boolean
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** SIGTERM; resolves with the exit code, or after ten seconds with that of a SIGKILL: null. */
  stop(): Promise<number | null>
}

export interface NodeOrders {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Real hashes, or such as cost next to nothing. */
  readonly hash: 'real' | 'least'
  /** Where its log goes; read when it ends before it is ready. */
  readonly log: string
}

/** Node ended before it was ready; the message holds the end of its log. */
export class NodeEnded extends Error {
  override readonly name = 'NodeEnded'
}

/** A process that has loaded everything and waits for its orders. */
export interface SpareNode {
  serve(orders: NodeOrders): Promise<Node>
  end(): void
}

/**
 * Starts a process and lets it load the program.
 *
 * It dies with the thread that started it, however that ends, also while it is stopped by a signal.
 */
export function spareNode(log: string): SpareNode {
  const file = openSync(log, 'a')
  const child = spawn(
    'setpriv',
    [
      '--pdeathsig',
      'KILL',
      process.execPath,
      '--max-semi-space-size=4',
      join(import.meta.dirname, 'node-process.ts'),
    ],
    { cwd: root, env: plainEnvironment(), stdio: ['ignore', 'pipe', file, 'ipc'] },
  )
  closeSync(file)
  const ended = once(child, 'exit')
  // Whoever kills it before its time does not wait for it.
  ended.catch(() => undefined)
  const loaded = Promise.race([once(child, 'message'), ended])
  loaded.catch(() => undefined)
  child.on('error', () => undefined)
  return {
    async serve(orders) {
      await loaded
      const ready = portOf(child, ended, log)
      if (child.connected) child.send({ cwd: orders.cwd, env: orders.env, hash: orders.hash })
      return nodeOf(child, ended, await ready)
    },
    end: () => child.kill('SIGKILL'),
  }
}

/** The program as an operator starts it, by its launcher and with its own hash. */
export async function launchNode({ cwd, env, log }: Omit<NodeOrders, 'hash'>): Promise<Node> {
  const file = openSync(log, 'a')
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', process.execPath, join(root, 'bin', 'watchword.js'), 'serve'],
    { cwd, env: { ...plainEnvironment(), ...env }, stdio: ['ignore', 'pipe', file] },
  )
  closeSync(file)
  const ended = once(child, 'exit')
  ended.catch(() => undefined)
  return nodeOf(child, ended, await portOf(child, ended, log))
}

function portOf(child: ChildProcess, ended: Promise<unknown>, log: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      if (text.length < 4096) text += chunk
      const told = readyPort(text)
      if (told !== undefined) resolve(told)
    })
    const late = () => reject(new NodeEnded(`It ended before it was ready: ${endOf(log)}`))
    ended.then(late, late)
  })
}

/** The port that a process said it is ready at. */
export function readyPort(text: string): number | undefined {
  const [, digits] = /is ready at http:\/\/127\.0\.0\.1:(\d+)/.exec(text) ?? []
  return digits === undefined ? undefined : Number(digits)
}

const endOf = (log: string) => readFileSync(log, 'utf8').slice(-2000)

/** A process that said that it is ready; `connections` is how many are opened to it at most. */
export function nodeOf(child: ChildProcess, ended: Promise<unknown>, port: number, connections = 64): Node {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const isAlive = () => child.exitCode === null && child.signalCode === null
  const end = async (signal: NodeJS.Signals) => {
    if (isAlive()) child.kill(signal)
    await ended
    agent.destroy()
  }
  return {
    pid: child.pid ?? 0,
    port,
    agent,
    isAlive,
    kill: () => end('SIGKILL'),
    async stop() {
      const patience = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await end('SIGTERM')
      clearTimeout(patience)
      return child.exitCode
    },
  }
}

/** Variables of the person who runs a trial must not become settings of what is tried. */
function plainEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) => !/^(WATCHWORD_|NODE_|UV_)/.test(name))
  return Object.fromEntries(kept.map(([name, value]) => [name, value ?? '']))
}
