import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { untilListening } from './apache.ts'

const guide = readFileSync(new URL('../../docs/apache.md', import.meta.url), 'utf8')

/** What the guide says of HAProxy: the file, the server of another machine, and what that machine has. */
export const haproxyBlocks: readonly string[] = [...guide.matchAll(/^```haproxy\n(.*?)^```$/gms)].map(
  ([, text = '']) => text,
)

/** Debian's HAProxy, which ends with this process. */
export interface Haproxy {
  stop(): Promise<void>
}

/** Starts it with a configuration that listens at a port of loopback. */
export async function startHaproxy(
  folder: string,
  name: string,
  text: string,
  port: number,
): Promise<Haproxy> {
  const file = join(folder, `${name}.cfg`)
  writeFileSync(file, text)
  const child: ChildProcess = spawn(
    'setpriv',
    ['--pdeathsig', 'TERM', '/usr/sbin/haproxy', '-db', '-q', '-f', file],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let said = ''
  child.stderr?.on('data', (chunk) => {
    said += chunk
  })
  await untilListening(port, child, () => said)
  return {
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}
