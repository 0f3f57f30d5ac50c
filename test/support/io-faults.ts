import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Which call fails, how, and at which time after the beginning. */
export interface Injected {
  /** Names of system calls, as strace takes them. */
  readonly call: string
  /** As `strace -e inject` says it: `error=EIO`, or `retval=0` for a call that does nothing. */
  readonly fault: string
  readonly when: number
}

export interface Injection {
  /** Lets go of the process; resolves with how many calls failed. */
  end(): Promise<number>
}

/** Lets calls of a running process on these files fail, by strace; resolves once it holds the process. */
export async function injectFaults(
  pid: number,
  { call, fault, when }: Injected,
  files: readonly string[],
): Promise<Injection> {
  const paths = files.flatMap((file) => ['-P', file])
  const rules = ['-e', `trace=${call}`, '-e', `inject=${call}:${fault}:when=${when}`]
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'INT', 'strace', '-f', '-p', String(pid), ...paths, ...rules],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  const ended = once(child, 'exit')
  let text = ''
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (text.includes('attached')) resolve()
    })
    child.on('error', reject)
    ended.then(() => reject(new Error(`strace ended: ${text}`)), reject)
  })
  return {
    async end() {
      child.kill('SIGINT')
      await ended
      return text.match(/\(INJECTED\)/g)?.length ?? 0
    },
  }
}
