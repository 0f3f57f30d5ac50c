import { lstatSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, resolve } from 'node:path'
import { parse as parseToml, TomlError } from 'smol-toml'
import { ConfigError } from './config-error.ts'
import { findContradictions } from './contradictions.ts'
import { type Environment, readEnvironment } from './environment.ts'
import { explain } from './explain.ts'
import { readText } from './read-text.ts'
import { type Settings, settingsSchema } from './schema.ts'
import { type AuthorizerAddress, type DatabaseAddress, printListen } from './values.ts'

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : S

type Camelized<T> = T extends readonly unknown[] | { readonly kind: string }
  ? T
  : T extends object
    ? { readonly [K in keyof T as Camel<K & string>]-?: Camelized<T[K]> }
    : T

/** As `Camelized`, but what may be left out may be left out. */
type OwnPolicy = Omit<Settings['policies'][string], 'code_window'> & {
  readonly codeWindow?: number | undefined
}

/**
 * The settings in force: the table of `schema.ts` in camelCase, with paths absolute and defaults worked out.
 *
 * Durations are seconds unless the name ends in `Days`.
 */
export type Config = Camelized<
  Omit<Settings, 'origin' | 'database' | 'key_file' | 'workers' | 'authorizer' | 'policies'>
> & {
  /** Scheme, host, and port unless usual; WHATWG form. */
  readonly origin: string
  readonly database: DatabaseAddress
  readonly keyFile: string
  /** Processes that answer. */
  readonly workers: number
  readonly authorizer: {
    readonly listen: AuthorizerAddress
    /** Where Apache asks in place of `listen`. */
    readonly balancer: Extract<AuthorizerAddress, { kind: 'tcp' }> | undefined
    readonly secretFile: string
    readonly leaseDirectory: string | undefined
  }
  readonly policies: Readonly<Record<string, OwnPolicy>>
}

/** Where settings come from. */
export interface ConfigSources {
  /** Folder that relative names start at when there is no file. */
  readonly cwd: string
  readonly env: Environment
  /** A file named on the command line; goes before `WATCHWORD_CONFIG` and `./watchword.toml`. */
  readonly file?: string | undefined
}

/**
 * Reads the settings: the file, then the environment over it.
 *
 * @throws ConfigError with one line a problem: unreadable file, bad TOML, unknown key or variable, wrong type or
 *   range, settings that contradict each other. Nothing is guessed (SEC-CFG-4).
 */
export function loadConfig({ cwd, env, file }: ConfigSources): Config {
  const source = findFile({ cwd, env, file })
  const fromFile = source.exists ? readToml(source.path) : {}
  const overlay = readEnvironment(env, cwd)
  const raw = merge(fromFile, overlay.values)
  const describe = (key: string, problem: string) =>
    `${overlay.sources.get(key) ?? source.path}: ${key}: ${problem}`

  const result = settingsSchema.safeParse(raw)
  const problems = [
    ...overlay.problems,
    ...(result.error?.issues ?? []).flatMap((issue) => explain(issue, raw, describe)),
  ]
  if (!result.success || problems.length > 0) throw new ConfigError(problems)

  const folder = source.exists ? dirname(source.path) : cwd
  const contradictions = findContradictions(result.data, folder)
  if (contradictions.length > 0) {
    throw new ConfigError(contradictions.map(({ key, problem }) => describe(key, problem)))
  }
  return settle(result.data, folder)
}

function findFile({ cwd, env, file }: ConfigSources): { path: string; exists: boolean } {
  const named = file ?? env.WATCHWORD_CONFIG
  if (named === '') throw new ConfigError(['WATCHWORD_CONFIG: is empty. Name a file, or unset it.'])
  const path = resolve(cwd, named ?? 'watchword.toml')
  // lstat, so that a link that leads nowhere is refused on reading and not taken for "no settings".
  return { path, exists: named !== undefined || lstatSync(path, { throwIfNoEntry: false }) !== undefined }
}

function readToml(path: string): Record<string, unknown> {
  const text = readText(
    path,
    (why) => `${path}: ${why}. Name a file that can be read, by --config or WATCHWORD_CONFIG.`,
  )
  try {
    return parseToml(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    // The parser's message goes on with lines of the file, which may hold a password: only its first line is told.
    const [summary = ''] = error.message.split('\n')
    const what = summary.replace(/^Invalid TOML document: /, '')
    throw new ConfigError([`${path}: line ${error.line}: ${what}. Write TOML: key = value, text in quotes.`])
  }
}

function merge(file: Record<string, unknown>, values: ReadonlyMap<string, unknown>): Record<string, unknown> {
  const merged = { ...file }
  for (const [name, value] of values) {
    const [first = '', second] = name.split('.')
    if (second === undefined) merged[first] = value
    else if (isTable(merged[first] ?? {})) merged[first] = { ...(merged[first] ?? {}), [second]: value }
  }
  return merged
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/** Resolves paths, works out defaults, and changes to the spelling of the program. */
function settle(parsed: Settings, folder: string): Config {
  const data = resolve(folder, parsed.data)
  const { listen, password, authorizer } = parsed
  const database = parsed.database ?? { kind: 'sqlite', path: resolve(data, 'watchword.sqlite3') }
  const breached = password.breached_hashes
  const settled = {
    ...parsed,
    data,
    listen: listen.kind === 'unix' ? { ...listen, path: resolve(folder, listen.path) } : listen,
    origin: parsed.origin ?? new URL(`http://${printListen(listen)}`).origin,
    database: database.kind === 'sqlite' ? { ...database, path: resolve(folder, database.path) } : database,
    workers: parsed.workers === 'auto' ? workersFor(database.kind) : parsed.workers,
    key_file: parsed.key_file === undefined ? resolve(data, 'keys.json') : resolve(folder, parsed.key_file),
    authorizer: {
      ...authorizer,
      secret_file: resolve(
        authorizer.secret_file === undefined ? data : folder,
        authorizer.secret_file ?? 'authorizer-secret',
      ),
    },
    password: {
      ...password,
      breached_hashes: breached === undefined ? undefined : resolve(folder, breached),
    },
  }
  return camelize(settled) as Config // The type says of the keys what camelize does to them.
}

/** One for each core, where there is a database that takes writes of several. */
const workersFor = (kind: DatabaseAddress['kind']): number =>
  kind === 'postgres' ? availableParallelism() : 1

function camelize(table: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(table).map(([key, value]) => [
      key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
      isTable(value) && !('kind' in value) ? camelize(value) : value,
    ]),
  )
}
