import assert from 'node:assert/strict'
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, normalize } from 'node:path'
import { describe, it } from 'node:test'

const root = join(import.meta.dirname, '..')

/** What each part of `src` may import of the others (docs/architecture.md): a folder, a folder in it, or a file. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  crypto: ['domain'],
  store: ['domain'],
  sources: ['domain'],
  actions: ['domain', 'store', 'services.ts'],
  // What a protected place answers, for both edges that proxies ask.
  authorizer: ['domain', 'actions', 'services.ts', 'observe'],
  http: ['domain', 'actions', 'authorizer', 'store/views', 'services.ts', 'observe'],
  apache: ['domain', 'actions', 'authorizer', 'services.ts', 'observe'],
  config: ['domain'],
  observe: ['domain'],
  // The operator's edge uses everything but the insides of other edges.
  cli: [
    ...['domain', 'actions', 'store', 'sources', 'crypto', 'config', 'services.ts', 'compose.ts', 'serve.ts'],
    'apache/doctor',
    'apache/passenger.ts',
    'apache/protect.ts',
    'apache/site.ts',
    'apache/balancer.ts',
    'apache/vhost.ts',
    'apache/vhost-values.ts',
  ],
  'services.ts': ['domain', 'store', 'crypto'],
  'compose.ts': [
    ...['domain', 'store', 'crypto', 'config', 'observe', 'services.ts'],
    'apache/leases/folder.ts',
  ],
  workers: ['observe'],
  'answering.ts': [
    ...['domain', 'crypto', 'authorizer', 'http', 'apache'],
    ...['config', 'observe', 'compose.ts', 'services.ts'],
  ],
  'serve.ts': [
    ...['http', 'config', 'observe'],
    ...['answering.ts', 'purging.ts', 'serve-many.ts', 'setup-offer.ts'],
  ],
  'serve-many.ts': [
    ...['crypto', 'http', 'apache', 'config', 'observe', 'workers'],
    ...['answering.ts', 'compose.ts', 'purging.ts', 'setup-offer.ts'],
  ],
  'purging.ts': ['actions', 'observe', 'services.ts'],
  'setup-offer.ts': ['domain', 'actions', 'config', 'services.ts'],
  'main.ts': ['cli'],
}

/** Where a package may be imported; one that is not here may be imported nowhere. */
const packagesIn: Readonly<Record<string, readonly string[]>> = {
  kysely: ['store'],
  'kysely/migration': ['store'],
  pg: [
    'store/postgres.ts',
    'store/revocation-notices.ts',
    'store/backup/postgres-snapshot.ts',
    'sources/sql-reader.ts',
  ],
  'node:sqlite': [
    'store/sqlite-handle.ts',
    'store/backup/sqlite-snapshot.ts',
    'store/backup/sqlite-alone.ts',
    'sources/sql-reader.ts',
  ],
  '@node-rs/argon2': ['crypto/password-hasher.ts'],
  '@node-rs/bcrypt': ['crypto/old-hashes.ts'],
  '@zxcvbn-ts/language-common': ['crypto/password-lists.ts'],
  hono: ['http'],
  '@hono/node-server': ['http/server.ts'],
  zod: ['http', 'config'],
  qr: ['http'],
  'swagger-ui-dist/swagger-ui.css': ['http/api-docs-files.ts'],
  'swagger-ui-dist/swagger-ui-bundle.js': ['http/api-docs-files.ts'],
  saxes: ['sources/xml.ts'],
  'smol-toml': ['config', 'cli/setting-sources.ts'],
  commander: ['cli'],
  '@clack/prompts': ['cli/prompts.ts'],
  pino: ['observe'],
  'prom-client': ['observe'],
  'hono/html': ['http/html.ts'],
  'hono/utils/html': ['http/html.ts'],
  'node:crypto': [
    'crypto',
    'domain',
    'sources/pskc-cipher.ts',
    'sources/pskc-key.ts',
    'store/backup/file.ts',
    'store/backup/checksum.ts',
    'http/appearance.ts',
    'http/api-docs-files.ts',
  ],
  'node:fs/promises': ['crypto/hash-threads.ts'],
  'node:fs': [
    'crypto',
    'store',
    'sources',
    'config',
    'cli',
    'http/server.ts',
    'http/appearance.ts',
    'http/api-docs-files.ts',
    'apache/leases/folder.ts',
    'observe/standard-error.ts',
  ],
  'node:path': [
    'crypto',
    'store',
    'sources',
    'config',
    'cli',
    'http/appearance.ts',
    'apache/leases/folder.ts',
  ],
  'node:timers/promises': ['store/migration-turn.ts', 'store/revocation-notices.ts'],
  'node:net': ['http', 'apache', 'authorizer/request.ts', 'config', 'cli/commands/policy/test.ts'],
  'node:tls': ['apache/doctor/live'],
  'node:http': ['http/server.ts'],
  'node:cluster': ['workers'],
  'node:child_process': ['cli/apache-host.ts'],
  'node:stream': ['store/backup/file.ts'],
  'node:stream/promises': ['store/backup/file.ts'],
  'node:zlib': ['store/backup/file.ts'],
  'node:os': ['config', 'cli', 'compose.ts', 'crypto/hash-threads.ts'],
  'node:events': ['cli'],
  'node:util': ['crypto/old-hashes.ts', 'sources/pskc-key.ts'],
  'node:module': ['main.ts', 'crypto/password-lists.ts'],
}

/** What does not keep a rule, and why it may not. */
const exceptions: readonly { readonly file: string; readonly what: string; readonly why: string }[] = [
  {
    file: 'main.ts',
    what: '../scripts/lib/runtime.js',
    why: 'what npm scripts, which run before any type is stripped, and the program do alike at their start',
  },
  {
    file: 'cli/program.ts',
    what: '../scripts/lib/runtime.js',
    why: 'what starts the program knows where it lies and how it is started',
  },
  {
    file: 'cli/parse.ts',
    what: '../package.json',
    why: 'the version that the program tells is that of the package',
  },
  ...['http/create-edge.ts', 'http/endpoint.ts', 'http/error-response.ts'].map((file) => ({
    file,
    what: 'import type pino',
    why: 'the type of the log that is handed in; observe makes it',
  })),
  {
    file: 'domain/token.ts',
    what: 'hash of node:crypto',
    why: 'createHash, update and digest in one call, three times as fast on the way of every request',
  },
  {
    file: 'domain/caller-proof.ts',
    what: 'hash of node:crypto',
    why: 'as for tokens: every request of a protected page comes this way',
  },
  {
    file: 'cli/instant.ts',
    what: 'Date.now',
    why: 'reads "2 days ago" while arguments are read, before there are services to ask for the time',
  },
]

const excepted = (file: string, what: string) =>
  exceptions.some((exception) => exception.file === file && exception.what === what)

interface Source {
  /** Path below `src`. */
  readonly file: string
  readonly text: string
  /** Without comments. */
  readonly code: string
  /** Without comments and without what is in quotes. */
  readonly bare: string
  readonly imports: readonly Import[]
}

interface Import {
  readonly specifier: string
  readonly typeOnly: boolean
  readonly names: readonly string[]
}

const sources: readonly Source[] = globSync('**/*.ts', { cwd: join(root, 'src') }).map((file) => {
  const text = readFileSync(join(root, 'src', file), 'utf8')
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, ' ').replaceAll(/(^|\s)\/\/.*$/gm, '$1')
  const bare = code.replaceAll(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g, "''")
  return { file, text, code, bare, imports: importsOf(code) }
})

/** Static, type-only, dynamic, resolved and required ones. */
function importsOf(code: string): Import[] {
  const found: Import[] = []
  for (const [, type, names = '', specifier = ''] of code.matchAll(
    /(?:^|\n)\s*(?:import|export)\s+(type\s+)?([\w*{}\s,$]*?)\s*from\s+'([^']+)'/g,
  )) {
    const list = names
      .replaceAll(/[{}]/g, ' ')
      .split(',')
      .map((name) =>
        name
          .trim()
          .replace(/^type /, '')
          .replace(/ as .*$/, ''),
      )
    found.push({ specifier, typeOnly: type !== undefined, names: list.filter((name) => name !== '') })
  }
  for (const [, specifier = ''] of code.matchAll(
    /(?:\bimport\s*\(\s*|\bimport\.meta\.resolve\s*\(\s*|(?:^|\n)import\s+|\brequire\s*\(\s*|\bcreateRequire\s*\([^)]*\)\s*\(\s*)'([^']+)'/g,
  )) {
    found.push({ specifier, typeOnly: false, names: [] })
  }
  return found
}

const partOf = (file: string): string => file.split('/')[0] ?? ''

const isWithin = (file: string, places: readonly string[]): boolean =>
  places.some((place) => file === place || file.startsWith(`${place}/`))

/** The path below `src` that a relative import leads to. */
const targetOf = ({ file }: Source, specifier: string): string => normalize(join(dirname(file), specifier))

/** The lines in which something is that may not be there. */
function linesWith(pattern: RegExp, where: readonly Source[]): string[] {
  return where.flatMap(({ file, bare }) =>
    bare
      .split('\n')
      .filter((line) => pattern.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  )
}

const inFolders = (...folders: readonly string[]) => sources.filter(({ file }) => isWithin(file, folders))
const allBut = (...files: readonly string[]) => sources.filter(({ file }) => !files.includes(file))

describe('the architecture', () => {
  it('is looked at as a whole', () => {
    assert.ok(sources.length > 100)
    const parts = new Set(sources.map(({ file }) => partOf(file)))
    assert.deepEqual([...parts].toSorted(), Object.keys(mayImport).toSorted())
    const store = sources.find(({ file }) => file === 'store/open.ts')
    assert.deepEqual(
      store?.imports.map(({ specifier }) => specifier).filter((specifier) => specifier.startsWith('./')),
      ['./database.ts', './revocations.ts', './revocation-notices.ts', './postgres.ts', './sqlite.ts'],
    )
  })

  it('lets each part import only what lies inward', () => {
    const wrong = sources.flatMap((source) =>
      source.imports
        .filter(({ specifier }) => specifier.startsWith('.'))
        .map(({ specifier }) => targetOf(source, specifier))
        .filter((target) => {
          const inward = [partOf(source.file), ...(mayImport[partOf(source.file)] ?? [])]
          return !isWithin(target, inward) && !excepted(source.file, target)
        })
        .map((target) => `${source.file} imports ${target}`),
    )
    assert.deepEqual(wrong, [])
  })

  it('has no module that needs itself by way of others', () => {
    const needs = new Map(
      sources.map((source) => [
        source.file,
        source.imports
          .filter(({ specifier, typeOnly }) => specifier.startsWith('.') && !typeOnly)
          .map(({ specifier }) => targetOf(source, specifier)),
      ]),
    )
    const leadsBack = (file: string) => {
      const reached = new Set<string>()
      const ahead = [...(needs.get(file) ?? [])]
      for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
        if (reached.has(next)) continue
        reached.add(next)
        ahead.push(...(needs.get(next) ?? []))
      }
      return reached.has(file)
    }
    assert.deepEqual([...needs.keys()].filter(leadsBack), [])
  })

  it('lets each package be imported where it belongs', () => {
    const wrong = sources.flatMap(({ file, imports }) =>
      imports
        .filter(({ specifier }) => !specifier.startsWith('.'))
        .filter(({ specifier }) => !isWithin(file, packagesIn[specifier] ?? []))
        .filter(({ specifier, typeOnly }) => !(typeOnly && excepted(file, `import type ${specifier}`)))
        .map(({ specifier }) => `${file} imports ${specifier}`),
    )
    assert.deepEqual(wrong, [])
  })

  it('runs no script of a package when packages are installed', () => {
    assert.match(readFileSync(join(root, '.npmrc'), 'utf8'), /^ignore-scripts=true$/m)
    // Whoever installs with other options is still not reported to anybody.
    const { scarfSettings } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    assert.deepEqual(scarfSettings, { enabled: false })
  })

  it('imports what Node brings by its whole name', () => {
    const wrong = sources.flatMap(({ file, imports }) =>
      imports
        .filter(({ specifier }) => !specifier.startsWith('node:') && builtinModules.includes(specifier))
        .map(({ specifier }) => `${file} imports ${specifier}`),
    )
    assert.deepEqual(wrong, [])
  })

  it('lets rules hash and compare, and draw nothing', () => {
    const allowed = ['createHmac', 'createHash', 'timingSafeEqual']
    const wrong = inFolders('domain').flatMap(({ file, imports }) =>
      imports
        .filter(({ specifier }) => specifier === 'node:crypto')
        .flatMap(({ names }) => names)
        .filter((name) => !allowed.includes(name) && !excepted(file, `${name} of node:crypto`))
        .map((name) => `${file} imports ${name}`),
    )
    assert.deepEqual(wrong, [])
  })

  it('has rules that are pure: no waiting, no clock, no chance, no environment', () => {
    const impure =
      /\b(?:async|await|Promise|Date|Math\.random|process|performance|setTimeout|setInterval|console)\b/
    assert.deepEqual(linesWith(impure, inFolders('domain')), [])
  })

  it('reads the clock in one place, and for identifiers', () => {
    const clock = /\bDate\.now\b|\bnew Date\(\)|\bDate\(\)/
    const wrong = linesWith(clock, allBut('compose.ts', 'crypto/random.ts'))
    assert.deepEqual(
      wrong.filter((line) => !excepted(line.split(':')[0] ?? '', 'Date.now')),
      [],
    )
    assert.equal(linesWith(clock, sources).length, 3)
  })

  it('draws nothing but from the system (SEC-CRY-3)', () => {
    assert.deepEqual(
      linesWith(/\bMath\.random\b|\bcrypto\.(?:subtle|getRandomValues|randomUUID)\b/, sources),
      [],
    )
  })

  it('has no eval and no shell', () => {
    assert.deepEqual(linesWith(/\beval\s*\(|\bnew Function\b|\bchild_process\b|\bexecSync\b/, sources), [])
  })

  it('never gives up on types: no any, no non-null assertion, no silenced compiler', () => {
    const given =
      /(?:[:<|&(,]\s*|\bas\s+)any\b(?!\s*[:=(])|[\w)\]]!(?:[.;,)]|$)|@ts-(?:ignore|expect-error|nocheck)/
    const tried = ['x as any', 'f(a: any)', 'a!.b', 'f(a!)', 'a[0]!', 'let a: any[]', 'Map<string, any>']
    assert.deepEqual(
      tried.filter((line) => !given.test(line)),
      [],
    )
    assert.deepEqual(linesWith(given, sources), [])
    const silenced = sources.filter(({ text }) => /@ts-(?:ignore|expect-error|nocheck)/.test(text))
    assert.deepEqual(
      silenced.map(({ file }) => file),
      [],
    )
  })

  it('names nothing by default', () => {
    assert.deepEqual(linesWith(/^export default\b/, sources), [])
  })

  it('has files that are read at one sitting: at most 300 lines', () => {
    const long = sources
      .map(({ file, text }) => [file, text.split('\n').length - 1] as const)
      .filter(([file, lines]) => lines > 300 && !excepted(file, 'longer than 300 lines'))
    assert.deepEqual(long, [])
  })

  it('opens each folder with a README', () => {
    const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    )
    const without = folders.filter(({ name }) => !existsSync(join(root, 'src', name, 'README.md')))
    assert.deepEqual(
      without.map(({ name }) => name),
      [],
    )
  })

  it('has no exception that is not needed any more', () => {
    const isNeeded = ({ file, what }: (typeof exceptions)[number]): boolean => {
      const source = sources.find((candidate) => candidate.file === file)
      if (source === undefined) return false
      if (what === 'longer than 300 lines') return source.text.split('\n').length > 301
      if (what === 'Date.now') return /\bDate\.now\b/.test(source.bare)
      const type = /^import type (.+)$/.exec(what)?.[1]
      if (type !== undefined) return source.imports.some((one) => one.typeOnly && one.specifier === type)
      const name = /^(\w+) of node:crypto$/.exec(what)?.[1]
      if (name !== undefined) return source.imports.some(({ names }) => names.includes(name))
      return source.imports.some(({ specifier }) => targetOf(source, specifier) === what)
    }
    assert.deepEqual(
      exceptions.filter((exception) => !isNeeded(exception)),
      [],
    )
  })
})
