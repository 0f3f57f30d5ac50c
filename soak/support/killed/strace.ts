import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Place } from '../../../test/cli/watchword.ts'

/** The calls by which a program changes what outlives it. */
const changing = [
  ...['pwrite64', 'write', 'writev', 'fsync', 'fdatasync', 'ftruncate', 'rename', 'renameat', 'renameat2'],
  ...['link', 'linkat', 'unlink', 'unlinkat', 'mkdir', 'chown', 'fchown'],
]

/** One such call: its name, and its number among those of that name that a thread makes, from 1. */
export interface Change {
  readonly call: string
  readonly number: number
}

/** What became of a program under strace. */
export interface Traced {
  /** Whether it was killed before it ended by itself. */
  readonly isKilled: boolean
  readonly code: number | null
  readonly stderr: string
}

type Run = Pick<Place, 'command' | 'env' | 'folder'>

/**
 * What a program changes: files, and what it sends to a server.
 *
 * What goes to its own threads or to standard output changes nothing, nor does what Node keeps of compiled code. strace
 * counts the calls of each name and each thread by themselves, and so does this.
 */
export async function changesOf(run: Run, words: readonly string[]): Promise<Change[]> {
  const log = join(run.folder, 'strace.log')
  const traced = await trace(
    run,
    ['--seccomp-bpf', '-yy', '-o', log, '-e', `trace=${changing.join()}`],
    words,
  )
  if (traced.code !== 0) throw new Error(`${words.join(' ')}: ${traced.stderr}`)
  const counted = new Map<string, number>()
  const changes = new Map<string, Change>()
  for (const line of readFileSync(log, 'utf8').split('\n')) {
    const [, thread, call = '', rest = ''] = /^(\d+) +([a-z0-9]+)\((.*)/.exec(line) ?? []
    if (thread === undefined) continue
    const number = (counted.get(`${thread} ${call}`) ?? 0) + 1
    counted.set(`${thread} ${call}`, number)
    if (/^(?:[012]<|\d+<(?:anon_inode|pipe))|\/\.cache\//.test(rest)) continue
    changes.set(`${call} ${number}`, { call, number })
  }
  return [...changes.values()]
}

/**
 * Runs the program and ends it by SIGKILL as it enters the call; a run that makes fewer of them ends by itself.
 *
 * Without `--seccomp-bpf`, by which strace delivers no signal.
 */
export function killAt(run: Run, words: readonly string[], { call, number }: Change): Promise<Traced> {
  const options = ['-o', '/dev/null', '-e', `trace=${call}`]
  return trace(run, [...options, '-e', `inject=${call}:signal=SIGKILL:when=${number}`], words)
}

async function trace(
  { command, env, folder }: Run,
  options: readonly string[],
  words: readonly string[],
): Promise<Traced> {
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'INT', 'strace', '-f', '-qq', ...options, ...command, ...words],
    {
      cwd: folder,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
  })
  // strace ends as the program that it ran.
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { isKilled: signal === 'SIGKILL' || code === 137, code, stderr }
}
