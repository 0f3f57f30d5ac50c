import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { root } from '../../scripts/lib/runtime.js'
import type { Node } from './town/node.ts'
import type { Town } from './town/town.ts'

/** How a program that has too little of something begins: ready, or ended with what it said. */
export type Begun =
  | { readonly kind: 'ready'; readonly node: Node }
  | { readonly kind: 'ended'; readonly code: number | null; readonly said: string }

/** Starts the program of a town by its launcher, under a command that takes something away from it. */
export async function startUnder(
  { folder, env }: Town,
  command: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<Begun> {
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', ...command, process.execPath, join(root, 'bin', 'watchword.js'), 'serve'],
    {
      cwd: folder,
      env: { PATH: process.env.PATH ?? '', HOME: folder, ...env, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const ended = once(child, 'exit')
  let said = ''
  const port = new Promise<number>((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        if (said.length < 65_536) said += chunk
        const [, digits] = /is ready at http:\/\/127\.0\.0\.1:(\d+)/.exec(said) ?? []
        if (digits !== undefined) resolve(Number(digits))
      })
  })
  const first = await Promise.race([port, ended.then(() => undefined)])
  if (first === undefined) return { kind: 'ended', code: child.exitCode, said }
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    await ended
    agent.destroy()
    return child.exitCode
  }
  const node: Node = {
    ...{ pid: child.pid ?? 0, port: first, agent },
    isAlive: () => child.exitCode === null && child.signalCode === null,
    kill: async () => {
      await end('SIGKILL')
    },
    stop: () => end('SIGTERM'),
  }
  return { kind: 'ready', node }
}
