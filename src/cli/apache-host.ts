import { execFile } from 'node:child_process'
import { globSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join, resolve } from 'node:path'
import { type Configuration, readConfiguration } from '../apache/doctor/read.ts'
import type { Listener, Machine } from '../apache/doctor/view.ts'
import { Refusal } from './exit-code.ts'

/** Which Apache is asked, and how it was told about its configuration. */
export interface ApacheAsked {
  /** A program that takes `-t` and `-D`. */
  readonly apachectl: string
  /** As given to Apache by `-d`, `-f` and `-D`. */
  readonly serverRoot?: string | undefined
  readonly file?: string | undefined
  readonly defines: readonly string[]
  /** A file of variables as the shell sets them; that of Debian unless told. */
  readonly envvars?: string | undefined
}

/** Apache as it is configured on this machine. */
export interface ApacheHost {
  readonly configuration: Configuration
  readonly machine: Machine
  /** What Apache says against its configuration; `undefined` where it takes it. */
  readonly refused: string | undefined
}

/** Asks Apache what it reads and reads that; refuses where there is no Apache to ask. */
export async function readApache(asked: ApacheAsked): Promise<ApacheHost> {
  const given = [
    ...(asked.serverRoot === undefined ? [] : ['-d', asked.serverRoot]),
    ...(asked.file === undefined ? [] : ['-f', asked.file]),
    ...asked.defines.flatMap((name) => ['-D', name]),
  ]
  const built = await run(asked.apachectl, ['-V'])
  const version = /^Server version: Apache\/([\d.]+)/m.exec(built.output)?.[1]
  if (version === undefined) {
    throw new Refusal(
      `${asked.apachectl} is no Apache that answers. Name it: --apachectl /usr/sbin/apachectl`,
    )
  }
  const serverRoot = asked.serverRoot ?? /HTTPD_ROOT="([^"]*)"/.exec(built.output)?.[1] ?? '/etc/apache2'
  const file = asked.file ?? /SERVER_CONFIG_FILE="([^"]*)"/.exec(built.output)?.[1] ?? 'apache2.conf'
  const dumps = ['DUMP_INCLUDES', 'DUMP_MODULES', 'DUMP_RUN_CFG', 'DUMP_VHOSTS'].flatMap((name) => [
    '-D',
    name,
  ])
  const tested = await run(asked.apachectl, [...given, '-t', ...dumps])
  const { output } = tested
  const files = [...output.matchAll(/^\s+\((?:\*|\d+)\) (.+)$/gm)].map(([, path = '']) => path)
  const configuration = readConfiguration({
    file: resolve(serverRoot, file),
    serverRoot,
    read: readText,
    list: filesOf,
    modules: [...output.matchAll(/^ (\w+) \((?:static|shared)\)$/gm)].map(([, name = '']) => name),
    defines: asked.defines,
    environment: variablesOf(asked.envvars ?? join(serverRoot, 'envvars')),
    version,
  })
  return {
    configuration,
    machine: {
      listeners: listeners(),
      addresses: addresses(),
      modeOf,
      files: files.length === 0 ? undefined : files,
    },
    refused: tested.failed ? firstSentences(tested.errors) : undefined,
  }
}

function run(
  program: string,
  args: readonly string[],
): Promise<{ output: string; errors: string; failed: boolean }> {
  return new Promise((done) => {
    execFile(program, args, { timeout: 30_000, maxBuffer: 16 * 1024 * 1024 }, (error, output, errors) => {
      done({
        output,
        errors: errors === '' && error !== null ? error.message : errors,
        failed: error !== null,
      })
    })
  })
}

const firstSentences = (errors: string): string =>
  errors
    .split('\n')
    .filter((line) => line.trim() !== '' && !/AH00558|The Apache error log/.test(line))
    .slice(0, 3)
    .join(' ')

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // Not there, or not ours to read: what it says is then reported as not read.
  }
}

/** What Include names: a file, all files of a folder, or those that fit a pattern. */
function filesOf(pattern: string): readonly string[] {
  const named = /[*?[]/.test(pattern) ? globSync(pattern).toSorted() : [pattern]
  return named.flatMap((path) => {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat === undefined) return []
    if (!stat.isDirectory()) return [path]
    return readdirSync(path)
      .toSorted()
      .flatMap((name) => filesOf(join(path, name)))
  })
}

/** Debian's `envvars`: what its lines set, with what the lines before set filled in. */
function variablesOf(path: string): ReadonlyMap<string, string> {
  const found = new Map(Object.entries(process.env).map(([name, value]) => [name, value ?? '']))
  const lines = (readText(path) ?? '').matchAll(
    /^\s*(?:export\s+)?([A-Za-z_]\w*)=(?:(["'])(.*?)\2|([^\s;]*))/gm,
  )
  for (const [, name = '', , quoted, bare = ''] of lines) {
    found.set(
      name,
      (quoted ?? bare).replaceAll(/\$\{?(\w+)\}?/g, (_, other: string) => found.get(other) ?? ''),
    )
  }
  return found
}

function modeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mode
}

/** Sockets that take TCP connections, as the kernel lists them; none where it lists none. */
function listeners(): Listener[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) =>
    [...(readText(path) ?? '').matchAll(/^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ 0A /gm)].map(
      ([, address = '', port = '']) => ({
        address: addressOf(address),
        port: Number.parseInt(port, 16),
      }),
    ),
  )
}

/** Words of four bytes in the order of this machine, which has the lowest first. */
function addressOf(hex: string): string {
  const bytes = [...hex.matchAll(/.{8}/g)].flatMap(([word]) => [...Buffer.from(word, 'hex')].toReversed())
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0)).toString(16),
  )
  const whole = groups.join(':')
  if (whole.startsWith('0:0:0:0:0:ffff:')) return `::ffff:${bytes.slice(12).join('.')}`
  return whole === '0:0:0:0:0:0:0:1' ? '::1' : whole === '0:0:0:0:0:0:0:0' ? '::' : whole
}

const addresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((each) =>
    (each ?? []).filter(({ internal }) => !internal).map(({ address }) => address),
  )
