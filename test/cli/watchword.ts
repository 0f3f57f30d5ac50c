import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** A password that no list has. */
export const goodPassword = 'violet anvil under 7 moons'

/** What a run of the program left behind. */
export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A folder of its own for the data of one test, and the program on it. */
export interface Place {
  readonly folder: string
  readonly keyFile: string
  readonly databaseFile: string
  /** Words to spawn the program with, and its environment. */
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Runs the real program as a process of its own. */
  run(args: string, options?: { stdin?: string; env?: Record<string, string> }): Promise<Ran>
  /** As `run`, for words that hold spaces. */
  runWords(words: readonly string[], options?: { stdin?: string; env?: Record<string, string> }): Promise<Ran>
  /** Does something to the database behind the program's back. */
  withDatabase<T>(work: (database: DatabaseSync) => T): T
}

export function place(t: TestContext): Place {
  const folder = mkdtempSync(join(tmpdir(), 'ww-cli-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return placeIn(folder)
}

/** As `place`, in a folder that the caller removes. */
export function placeIn(folder: string): Place {
  mkdirSync(folder, { recursive: true })
  const data = join(folder, 'data')
  const keyFile = join(folder, 'keys', 'keys.json')
  const databaseFile = join(data, 'watchword.sqlite3')
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    TERM: 'xterm',
    WATCHWORD_DATA: data,
    WATCHWORD_KEY_FILE: keyFile,
  }
  const runWords: Place['runWords'] = (words, { stdin = '', env: more = {} } = {}) => {
    const child = spawn(process.execPath, [main, ...words], { cwd: folder, env: { ...env, ...more } })
    child.stdin.on('error', () => {}) // Gone before it read everything; what it says about that is what counts.
    child.stdin.end(stdin)
    return outputOf(child)
  }
  return {
    folder,
    keyFile,
    databaseFile,
    env,
    command: [process.execPath, main],
    runWords,
    run: (args, options) => runWords(args === '' ? [] : args.split(' '), options),
    withDatabase(work) {
      const database = new DatabaseSync(databaseFile)
      try {
        return work(database)
      } finally {
        database.close()
      }
    },
  }
}

function outputOf(child: ReturnType<typeof spawn>): Promise<Ran> {
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr?.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}
