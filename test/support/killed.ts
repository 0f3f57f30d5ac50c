import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Place } from '../cli/watchword.ts'

/** The calls by which a program changes what is on disk. */
const changing =
  'pwrite64,write,writev,fsync,fdatasync,ftruncate,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,chown,fchown'

/** What became of a program under strace. */
export interface Traced {
  /** Whether it was killed before it ended by itself. */
  readonly isKilled: boolean
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

type Run = Pick<Place, 'command' | 'env' | 'folder'>

/** How many changing calls one thread of the program makes, at most; threads count each for themselves. */
export async function countChanges(run: Run, words: readonly string[]): Promise<number> {
  const log = join(run.folder, 'strace.log')
  const traced = await trace(run, ['-o', log, '-e', `trace=${changing}`], words)
  if (traced.code !== 0) throw new Error(`${words.join(' ')}: ${traced.stderr}`)
  const calls = new Map<string, number>()
  for (const line of readFileSync(log, 'utf8').split('\n')) {
    const [, thread] = /^(\d+) +[a-z0-9]+\(/.exec(line) ?? []
    if (thread !== undefined) calls.set(thread, (calls.get(thread) ?? 0) + 1)
  }
  return Math.max(...calls.values())
}

/**
 * The changing calls of the program's main thread that leave it, for a file or a server, each by its number among all of them.
 *
 * What goes to its own threads, or to standard output, changes nothing.
 */
export async function changesThatLeave(run: Run, words: readonly string[]): Promise<number[]> {
  const log = join(run.folder, 'strace.log')
  const traced = await trace(run, ['-yy', '-o', log, '-e', `trace=${changing}`], words)
  if (traced.code !== 0) throw new Error(`${words.join(' ')}: ${traced.stderr}`)
  const lines = readFileSync(log, 'utf8').split('\n')
  const main = /^\d+/.exec(lines[0] ?? '')?.[0]
  const calls = lines.filter((line) => new RegExp(`^${main} +[a-z0-9]+\\(`).test(line))
  return calls.flatMap((line, index) =>
    /\((?:[012]<|\d+<(?:anon_inode|pipe))/.test(line) ? [] : [index + 1],
  )
}

/** Up to `parts` of some numbers, one at random in each of as many equal stretches of them. */
export function spreadOver(numbers: readonly number[], parts: number, seed: number): number[] {
  const count = Math.min(numbers.length, parts)
  let state = seed
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  return Array.from({ length: count }, (_, part) =>
    Math.floor(((part + random()) * numbers.length) / count),
  ).flatMap((index) => numbers[index] ?? [])
}

/** Runs the program and ends it by SIGKILL as it enters the given changing call, counted from 1. */
export function killAt(run: Run, words: readonly string[], call: number): Promise<Traced> {
  const options = ['-o', '/dev/null', '-e', `trace=${changing}`]
  return trace(run, [...options, '-e', `inject=${changing}:signal=SIGKILL:when=${call}`], words)
}

function trace(
  { command, env, folder }: Run,
  options: readonly string[],
  words: readonly string[],
): Promise<Traced> {
  const args = ['-f', '-qq', ...options, ...command, ...words]
  const child = spawn('strace', args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    // strace ends as the program that it ran.
    child.on('close', (code, signal) =>
      resolve({ isKilled: signal === 'SIGKILL' || code === 137, code, stdout, stderr }),
    )
  })
}
