import { resolve } from 'node:path'
import { settings, variablePrefix } from './describe.ts'
import { nearest } from './nearest.ts'
import { readText } from './read-text.ts'

/** Variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Settings that the environment gives, by their dotted names. */
export interface Overlay {
  readonly values: ReadonlyMap<string, unknown>
  /** The variable that a key was taken from. */
  readonly sources: ReadonlyMap<string, string>
  readonly problems: readonly string[]
}

/**
 * Reads all variables that begin with `WATCHWORD_`, and the files that `…_FILE` variables name.
 *
 * @throws ConfigError when such a file cannot be read
 */
export function readEnvironment(env: Environment, cwd: string): Overlay {
  const values = new Map<string, unknown>()
  const sources = new Map<string, string>()
  const problems: string[] = []
  const known = new Set(['WATCHWORD_CONFIG'])

  for (const { name, environment, note } of settings) {
    const text = env[environment]
    known.add(environment)
    if (text !== undefined) {
      values.set(name, fromText(text, note.kind))
      sources.set(name, environment)
    }
    if (!note.secret) continue
    const fileVariable = `${environment}_FILE`
    const file = env[fileVariable]
    known.add(fileVariable)
    if (file === undefined) continue
    if (text !== undefined) {
      problems.push(`${fileVariable}: ${name}: is given twice. Unset ${fileVariable} or ${environment}.`)
      continue
    }
    const secret = readText(
      resolve(cwd, file),
      (why) => `${fileVariable}: ${name}: ${file} ${why}. Name a file with the value.`,
    )
    values.set(name, secret.replace(/\r?\n$/, ''))
    sources.set(name, fileVariable)
  }

  for (const variable of Object.keys(env)) {
    if (!variable.startsWith(variablePrefix) || known.has(variable) || env[variable] === undefined) continue
    problems.push(`${variable}: is not a setting.${nearest(variable, known)}`)
  }
  return { values, sources, problems }
}

/** A value as TOML would have given it; text that does not fit stays text, for the schema to refuse. */
function fromText(text: string, kind: 'text' | 'number' | 'boolean' | 'list'): unknown {
  switch (kind) {
    case 'text':
      return text
    case 'number':
      return /^-?\d{1,15}$/.test(text) ? Number(text) : text
    case 'boolean':
      return text === 'true' || text === 'false' ? text === 'true' : text
    case 'list':
      return text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '')
  }
}
