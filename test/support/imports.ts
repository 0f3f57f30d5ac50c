import { spawnSync } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { World } from '../world.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** The environment in which the real program works on a world's own database and keys. */
export function environmentOf(
  { config: { database, keyFile } }: World,
  folder: string,
): Record<string, string> {
  if (database.kind !== 'sqlite') throw new Error('a world is on SQLite by default')
  return {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    WATCHWORD_DATA: dirname(database.path),
    WATCHWORD_KEY_FILE: keyFile,
  }
}

/** Runs the real program on a world's own database. */
export function commandOn(world: World, folder: string) {
  return (...words: string[]) => {
    const options = { cwd: folder, env: environmentOf(world, folder), encoding: 'utf8' } as const
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...words], options)
    return { status, stdout, stderr }
  }
}

/** An import's lines for programs, taken apart; fails when it was refused. */
export function importOn(world: World, folder: string) {
  const command = commandOn(world, folder)
  return (...words: string[]) => {
    const ran = command('import', ...words, '--json')
    if (ran.status !== 0 || ran.stderr !== '') throw new Error(`${ran.status}: ${ran.stderr}`)
    const lines = ran.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    return { people: lines.slice(0, -1), summary: lines.at(-1).summary }
  }
}
