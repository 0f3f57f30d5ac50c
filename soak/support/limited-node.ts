import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { root } from '../../scripts/lib/runtime.js'
import { type Node, nodeOf, readyPort } from './town/node.ts'
import type { Town } from './town/town.ts'

/** Few, where descriptors are few. */
const CONNECTIONS = 16

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
        const told = readyPort(said)
        if (told !== undefined) resolve(told)
      })
  })
  const first = await Promise.race([port, ended.then(() => undefined)])
  if (first === undefined) return { kind: 'ended', code: child.exitCode, said }
  return { kind: 'ready', node: nodeOf(child, ended, first, CONNECTIONS) }
}
