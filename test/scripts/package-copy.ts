import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

const root = join(import.meta.dirname, '..', '..')

/** Says what it was started with, then waits for a signal if it serves. */
const program = `
const args: readonly string[] = process.argv.slice(2)
if (args[0] === 'serve') {
  process.on('SIGTERM', () => { console.log('SIGTERM'); process.exit(0) })
  setTimeout(() => process.exit(9), 20_000)
}
console.log(JSON.stringify({ args, threads: process.env.UV_THREADPOOL_SIZE, pid: process.pid }))
if (args[0] === 'exit') process.exit(Number(args[1]))
if (args[0] === 'die') process.kill(process.pid, 'SIGKILL')
if (args[0] === 'import') await import('no-such-package' as string)
`

/** Makes a Node believe that it is too old, and unable to become another program, as Node 20 is. */
const oldNode = `data:text/javascript,${encodeURIComponent(`
Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } })
process.execve = undefined`)}`

/** One locked package, as both lock files know it. */
const lockFile = JSON.stringify({
  packages: { '': {}, 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } },
})

/** A copy of what starts Watchword, around a program that only says how it was started. */
export function packageCopy(t: TestContext, { installed }: { installed: boolean }): string {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'watchword-scripts-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const part of ['bin', 'scripts']) cpSync(join(root, part), join(folder, part), { recursive: true })
  mkdirSync(join(folder, 'src'))
  writeFileSync(join(folder, 'src', 'main.ts'), program)
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'package-lock.json'), lockFile)
  if (installed) install(folder)
  return folder
}

/** Lays down what `npm ci` would: the locked Node and the list of what is installed. */
export function install(folder: string): void {
  mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true })
  writeFileSync(join(folder, 'node_modules', '.package-lock.json'), lockFile)
  const node = `#!/bin/sh\nexec '${process.execPath}' "$@"\n`
  writeFileSync(join(folder, 'node_modules', '.bin', 'node'), node, { mode: 0o755 })
}

export interface RunOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** Whether to run on a Node that is too old for the program. */
  readonly old?: boolean
}

/** Starts a script of the copy; `line` is its first line of output, `ended` its end and all it said. */
export function start(args: readonly string[], { cwd, env = {}, old = false }: RunOptions) {
  const { NODE_TEST_CONTEXT: _, UV_THREADPOOL_SIZE: __, npm_execpath: ___, ...rest } = process.env
  const child = spawn(process.execPath, [...(old ? ['--import', oldNode] : []), ...args], {
    cwd,
    env: { ...rest, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  const line = new Promise<string>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      if (stdout.includes('\n')) resolve(stdout.slice(0, stdout.indexOf('\n')))
    })
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const ended = new Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>(
    (resolve) => {
      child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
    },
  )
  return { child, line, ended }
}
