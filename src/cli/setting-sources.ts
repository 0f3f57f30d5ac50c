import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from 'smol-toml'
import { readEnvironment } from '../config/environment.ts'
import type { ConfigSources } from '../config/load.ts'

/** Where each setting comes from: a variable, the file, or `default`. For settings that `loadConfig` took. */
export function settingSources({ cwd, env, file }: ConfigSources): (name: string) => string {
  const path = resolve(cwd, file ?? env.WATCHWORD_CONFIG ?? 'watchword.toml')
  const table: unknown = existsSync(path) ? parse(readFileSync(path, 'utf8')) : {}
  const variables = readEnvironment(env, cwd).sources
  return (name) => variables.get(name) ?? (has(table, name.split('.')) ? path : 'default')
}

function has(table: unknown, [first, ...rest]: readonly string[]): boolean {
  if (first === undefined) return true
  return typeof table === 'object' && table !== null && first in table
    ? has((table as Record<string, unknown>)[first], rest)
    : false
}
