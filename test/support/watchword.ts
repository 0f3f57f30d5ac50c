import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const launcher = join(root, 'bin', 'watchword.js')

/** The real program, as an operator starts it, on a data folder of its own. */
export interface Watchword {
  readonly pid: number
  /** Where it waits: a URL or the path of a socket. */
  readonly address: string
  /** What it wrote so far: lines for people, and the log. */
  stdout(): string
  stderr(): string
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
}

/** Settings by environment, on a data folder. */
export function environment(folder: string, more: Record<string, string> = {}): Record<string, string> {
  mkdirSync(folder, { recursive: true })
  return {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    WATCHWORD_DATA: join(folder, 'data'),
    // Its port is one for the machine, and tests run side by side.
    WATCHWORD_AUTHORIZER_LISTEN: 'off',
    ...more,
  }
}

/** Starts `watchword serve`, or another program that says so too; resolves when it says that it is ready. */
export async function startWatchword(
  folder: string,
  env: Record<string, string>,
  program: readonly string[] = [launcher, 'serve'],
): Promise<Watchword> {
  const child = spawn(process.execPath, program, {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  const exited = once(child, 'exit')
  const ready = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      out += `${line}\n`
      const address = /is ready at (.*)$/.exec(line)?.[1]
      if (address !== undefined) resolve(address)
    })
    exited.then(() => reject(new Error(`Watchword ended before it was ready:\n${out}${err}`)))
  })
  const address = await ready
  return {
    pid: child.pid ?? 0,
    address,
    stdout: () => out,
    stderr: () => err,
    stop: () => end(child, 'SIGTERM', exited),
    kill: async () => {
      await end(child, 'SIGKILL', exited)
    },
  }
}

async function end(
  child: ChildProcess,
  signal: NodeJS.Signals,
  exited: Promise<unknown>,
): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal)
  await exited
  return child.exitCode
}

/** Runs one command of the program to its end; a refusal rejects with what it said. */
export function runWatchword(
  folder: string,
  env: Record<string, string>,
  { args, stdin = '' }: { args: readonly string[]; stdin?: string },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [launcher, ...args],
      { cwd: folder, env },
      (error, stdout, stderr) =>
        error ? reject(new Error(`watchword ${args.join(' ')}: ${stderr}`)) : resolve(stdout),
    )
    child.stdin?.end(stdin)
  })
}
