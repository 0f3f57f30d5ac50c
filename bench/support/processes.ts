import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { environment, root } from '../../scripts/lib/runtime.js'

/** A process of ours with what Linux tells of it. */
export interface Started {
  readonly child: ChildProcess
  readonly pid: number
  readonly ended: Promise<unknown>
  /** Ends it by SIGTERM, or by SIGKILL when that takes longer than ten seconds. */
  stop(): Promise<void>
}

/** A server of ours that waits for requests on loopback. */
export interface StartedServer extends Started {
  readonly port: number
}

const running = new Set<ChildProcess>()

/** Ends what is still running when this process does, however it does. */
export function endWithUs(cleanUp: () => void): void {
  process.on('exit', () => {
    for (const child of running) child.kill('SIGKILL')
    cleanUp()
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))
}

/** Runs a file of the benchmark on this Node, with the variables that Watchword starts with. */
export function startNode(
  args: readonly string[],
  {
    env = {},
    flags = [],
    stdio,
  }: { env?: NodeJS.ProcessEnv; flags?: readonly string[]; stdio: SpawnOptions['stdio'] },
): Started {
  const child = spawn(process.execPath, [...flags, ...args], {
    cwd: root,
    env: { ...cleanEnvironment(), ...environment, ...env },
    stdio: stdio ?? 'ignore',
  })
  running.add(child)
  const ended = once(child, 'exit').finally(() => running.delete(child))
  ended.catch(() => undefined)
  const { pid } = child
  if (pid === undefined) throw new Error(`${args[0]} could not be started.`)
  return {
    child,
    pid,
    ended,
    async stop() {
      const patience = setTimeout(() => child.kill('SIGKILL'), 10_000)
      child.kill('SIGTERM')
      await ended
      clearTimeout(patience)
    },
  }
}

/** Starts a server that says on standard output which port of 127.0.0.1 it took; its log goes to a file. */
export async function startServer(
  args: readonly string[],
  {
    log,
    ipc = false,
    ...options
  }: { log: string; env?: NodeJS.ProcessEnv; flags?: readonly string[]; ipc?: boolean },
): Promise<StartedServer> {
  const started = startNode(args, {
    ...options,
    stdio: ['ignore', 'pipe', openSync(log, 'a'), ...(ipc ? (['ipc'] as const) : [])],
  })
  const port = await new Promise<number>((resolve, reject) => {
    let text = ''
    started.child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      const [, digits] = /127\.0\.0\.1:(\d+)/.exec(text) ?? []
      if (digits !== undefined) resolve(Number(digits))
    })
    started.child.once('exit', (code) => reject(new Error(`${args[0]} ended with ${code}; see ${log}`)))
  })
  return { ...started, port }
}

/** A port that nobody uses at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Variables of the person who measures must not become settings of what is measured. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(WATCHWORD_|NODE_|UV_|MALLOC_)/.test(name)),
  )
}

/** Clock ticks a second in `/proc`, on every Linux there is. */
const TICKS = 100

/** Processor seconds that a process has used so far, all threads together, to 10 ms. */
export function cpuSeconds(pid: number): number {
  const fields = statFields(pid)
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** Fields of `/proc/<pid>/stat` from the third on: the second, a name in brackets, may hold anything. */
function statFields(pid: number | 'self'): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

/** Processor seconds that programs other than ours have used so far, on all cores; its growth tells of noise. */
export function foreignCpuSeconds(): number {
  const [, user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8').split(/\s+/).map(Number)
  const all = [user, nice, system, irq, softirq].reduce<number>((sum, ticks) => sum + (ticks ?? 0), 0)
  // Our own, and that of children that have ended.
  const own = statFields('self')
    .slice(11, 15)
    .reduce((sum, ticks) => sum + Number(ticks), 0)
  return (all - own) / TICKS
}

/** Resident memory of a process, in MiB. */
export function residentMebibytes(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) / 1024
}

/** Path of a file of the benchmark. */
export const benchFile = (name: string): string => join(root, 'bench', name)
