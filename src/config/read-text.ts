import { readFileSync } from 'node:fs'
import { ConfigError } from './config-error.ts'

/**
 * A whole file as text.
 *
 * @param problem makes the line that tells of it, from why it could not be read
 * @throws ConfigError when the file cannot be read or is not UTF-8
 */
export function readText(path: string, problem: (why: string) => string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path))
  } catch (error) {
    const why = error instanceof TypeError ? 'is not UTF-8' : `cannot be read (${(error as Error).message})`
    throw new ConfigError([problem(why)], { cause: error })
  }
}
