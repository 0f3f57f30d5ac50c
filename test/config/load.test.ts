import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConfigError } from '../../src/config/config-error.ts'
import { type ConfigSources, loadConfig } from '../../src/config/load.ts'
import { printSettings, settingsFile, temporaryFolder } from './settings-file.ts'

function problemsOf(sources: ConfigSources): readonly string[] {
  try {
    loadConfig(sources)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

test('without a file and without variables, the defaults are in force', () => {
  assert.deepEqual(loadConfig({ cwd: '/nowhere', env: { PATH: '/bin' } }), {
    data: '/nowhere/data',
    listen: { kind: 'tcp', host: '127.0.0.1', port: 8000 },
    socketMode: 0o660,
    workers: 1,
    databaseConnections: 10,
    origin: 'http://127.0.0.1:8000',
    database: { kind: 'sqlite', path: '/nowhere/data/watchword.sqlite3' },
    keyFile: '/nowhere/data/keys.json',
    trustedProxies: [],
    issuer: 'Watchword',
    logLevel: 'info',
    auditRetentionDays: 400,
    login: {
      ...{ enrolment: 'required', uniformErrors: false, form: 'steps', returnOrigins: [] },
      ...{ lifetime: 300, enrolmentLifetime: 600 },
    },
    brand: { name: 'Watchword', accent: '#2f5bd7' },
    session: {
      idleTimeout: 3600,
      absoluteLifetime: 43_200,
      freshFor: 300,
      limit: 20,
      browserLifetimeDays: 180,
    },
    totp: { window: 1, maximumDevices: 5 },
    password: {
      minimumLength: 8,
      minimumLengthAlone: 15,
      barredWords: [],
      breachedHashes: undefined,
      memoryKib: 19_456,
      passes: 2,
      parallelism: 1,
      hashThreads: Math.min(availableParallelism(), 4),
      hashQueue: 64,
      hashDeadline: 5,
    },
    throttle: {
      passwordFree: 5,
      codeFree: 5,
      firstWait: 30,
      longestWait: 3600,
      disableAfter: 100,
      networkLimit: 100,
      networkWindow: 900,
      siteLimit: 1000,
      serverLimit: 1000,
      serverWindow: 60,
    },
    metrics: {
      networks: [
        { family: 'ipv4', address: '127.0.0.0', prefix: 8 },
        { family: 'ipv6', address: '::1', prefix: 128 },
      ],
    },
    authorizer: {
      listen: { kind: 'tcp', host: '127.0.0.1', port: 9010 },
      secretFile: '/nowhere/data/authorizer-secret',
    },
    policies: {},
    appPasswords: { longestDays: 365 },
  })
})

test('"auto" is a worker for each core on PostgreSQL, and one on SQLite', () => {
  const postgres = { WATCHWORD_DATABASE: 'postgres://watchword@db/watchword' }
  const workers = (env: Record<string, string>) => loadConfig({ cwd: '/nowhere', env }).workers
  assert.equal(workers({ ...postgres, WATCHWORD_WORKERS: 'auto' }), availableParallelism())
  assert.equal(workers({ ...postgres, WATCHWORD_WORKERS: '3' }), 3)
  assert.equal(workers(postgres), 1)
  assert.equal(workers({ WATCHWORD_WORKERS: 'auto' }), 1)
})

test('paths in the file start at the folder of the file, wherever one stands', (t) => {
  const { cwd: folder, path } = settingsFile(
    t,
    `data = "d"
     listen = "unix:run/socket"
     origin = "https://auth.example.com"
     database = "sqlite:users.sqlite3"
     key_file = "/etc/keys.json"
     [password]
     breached_hashes = "../hashes.txt"`,
  )
  const config = loadConfig({ cwd: '/', env: {}, file: path })
  assert.equal(config.data, join(folder, 'd'))
  assert.deepEqual(config.listen, { kind: 'unix', path: join(folder, 'run/socket') })
  assert.deepEqual(config.database, { kind: 'sqlite', path: join(folder, 'users.sqlite3') })
  assert.equal(config.keyFile, '/etc/keys.json')
  assert.equal(config.password.breachedHashes, join(folder, '../hashes.txt'))
})

test('database and keys move with the data folder', () => {
  const config = loadConfig({ cwd: '/', env: { WATCHWORD_DATA: '/var/lib/watchword' } })
  assert.deepEqual(config.database, { kind: 'sqlite', path: '/var/lib/watchword/watchword.sqlite3' })
  assert.equal(config.keyFile, '/var/lib/watchword/keys.json')
})

test('the origin follows from where the server listens', () => {
  const origin = (listen: string) => loadConfig({ cwd: '/', env: { WATCHWORD_LISTEN: listen } }).origin
  assert.equal(origin('[::1]:9000'), 'http://[::1]:9000')
  assert.equal(origin('localhost:80'), 'http://localhost')
})

test('the environment goes before the file, and each kind of value can be written in it', (t) => {
  const file = settingsFile(
    t,
    'issuer = "File"\ntrusted_proxies = ["192.0.2.1"]\n[session]\nlimit = 7\nfresh_for = 60',
  )
  const env = {
    WATCHWORD_ISSUER: 'Environment',
    WATCHWORD_TRUSTED_PROXIES: '198.51.100.4, 2001:db8::/64',
    WATCHWORD_SESSION_LIMIT: '9',
    WATCHWORD_LOGIN_UNIFORM_ERRORS: 'true',
    WATCHWORD_METRICS_NETWORKS: '',
  }
  const config = loadConfig({ cwd: file.cwd, env })
  assert.equal(config.issuer, 'Environment')
  assert.equal(config.session.limit, 9)
  assert.equal(config.session.freshFor, 60)
  assert.equal(config.login.uniformErrors, true)
  assert.deepEqual(config.metrics.networks, [])
  assert.deepEqual(config.trustedProxies, [
    { family: 'ipv4', address: '198.51.100.4', prefix: 32 },
    { family: 'ipv6', address: '2001:db8::', prefix: 64 },
  ])
})

test('the file is the one named by argument, else by WATCHWORD_CONFIG, else watchword.toml', (t) => {
  const { cwd } = settingsFile(t, 'issuer = "usual"')
  writeFileSync(join(cwd, 'a.toml'), 'issuer = "argument"')
  writeFileSync(join(cwd, 'b.toml'), 'issuer = "variable"')
  const env = { WATCHWORD_CONFIG: 'b.toml' }
  assert.equal(loadConfig({ cwd, env: {} }).issuer, 'usual')
  assert.equal(loadConfig({ cwd, env }).issuer, 'variable')
  assert.equal(loadConfig({ cwd, env, file: 'a.toml' }).issuer, 'argument')
})

test('the database can be read from a file, so that its password need not stand in the environment', (t) => {
  const cwd = temporaryFolder(t)
  writeFileSync(join(cwd, 'secret'), 'postgres://watchword:hush@db/watchword\n')
  const config = loadConfig({ cwd, env: { WATCHWORD_DATABASE_FILE: 'secret' } })
  assert.deepEqual(config.database, { kind: 'postgres', url: 'postgres://watchword:hush@db/watchword' })
})

// Each row: what stands in the file, and the refusal after the name of the file.
const refusedFiles: readonly (readonly [string, RegExp])[] = [
  ['isuer = "x"', /^isuer: is not a setting\. Did you mean "issuer"\?$/],
  ['[sesion]\nlimit = 3', /^sesion: is not a setting\. Did you mean "session"\?$/],
  ['[session]\nlimt = 3', /^session\.limt: is not a setting\. Did you mean "session\.limit"\?$/],
  ['[session]\nzzzzzzzz = 3', /^session\.zzzzzzzz: is not a setting\. Remove it\.$/],
  ['__proto__ = 1', /^__proto__: is not a setting/],
  ['session = 3', /^session: is not a table\. Write \[session\] on a line/],
  [
    '[session]\nidle_timeout = "1h"',
    /^session\.idle_timeout: "1h" is of the wrong type\. Write a whole number of seconds from 60 to 86400\.$/,
  ],
  [
    '[session]\nidle_timeout = 59',
    /^session\.idle_timeout: 59 is too small\. Write a whole number of seconds from 60/,
  ],
  ['[session]\nidle_timeout = 86401', /^session\.idle_timeout: 86401 is too large\. Write .* to 86400\.$/],
  [
    '[session]\nidle_timeout = 60.5',
    /^session\.idle_timeout: 60\.5 is of the wrong type\. Write a whole number/,
  ],
  ['[login]\nlifetime = 301', /^login\.lifetime: 301 is too large\. Write .* from 60 to 300\.$/],
  [
    '[login]\nenrolment = "maybe"',
    /^login\.enrolment: "maybe" is not allowed\. Write one of "required", "optional"\.$/,
  ],
  ['[login]\nuniform_errors = 1', /^login\.uniform_errors: 1 is of the wrong type\. Write true or false\.$/],
  ['log_level = "loud"', /^log_level: "loud" is not allowed\. Write one of "trace", "debug"/],
  ['issuer = "a:b"', /^issuer: "a:b" is not allowed\. Write 1 to 64 characters without a colon\.$/],
  ['issuer = ""', /^issuer: "" is too short\. Write 1 to 64 characters/],
  [
    'socket_mode = 660',
    /^socket_mode: 660 is of the wrong type\. Write three octal digits in quotes, such as "660"\.$/,
  ],
  ['socket_mode = "668"', /^socket_mode: "668" is not three octal digits\. Write/],
  ['workers = 0', /^workers: 0 is too small\. Write "auto", or a whole number of processes from 1 to 64\.$/],
  ['workers = "many"', /^workers: "many" is not allowed\. Write "auto", or a whole number/],
  [
    'workers = 2',
    /^workers: 2 processes cannot share a file of SQLite, which has one writer\. Write 1 or "auto", or set database/,
  ],
  ['data = ""', /^data: "" is empty\. Write the path of a folder\.$/],
  [
    '[password]\npasses = 1',
    /^password\.passes: 1 is too few for this memory_kib\. Write 2 or more, or a memory_kib of 47104/,
  ],
  [
    '[policies.wiki]\nwithin = 600\naccess = ["session", "app-password"]',
    /^policies\.wiki\.within: is a limit that an app password does not keep.* Take it away, or "app-password" from access\.$/,
  ],
  [
    '[policies.git]\nwithin = 600\naccess = ["app-password"]',
    /^policies\.git\.within: is a limit that an app password does not keep/,
  ],
  ['[password]\nmemory_kib = 19455', /^password\.memory_kib: 19455 is too small\. Write .* from 19456/],
  [
    '[password]\nminimum_length = 20',
    /^password\.minimum_length_alone: is less than .* Write a number from 20 to 64\.$/,
  ],
  [
    '[password]\nbarred_words = "acme"',
    /^password\.barred_words: "acme" is of the wrong type\. Write a list/,
  ],
  [
    '[password]\nbarred_words = ["acme", 3]',
    /^password\.barred_words: 3 is of the wrong type\. Write a list/,
  ],
  [
    '[throttle]\nlongest_wait = 60\nfirst_wait = 61',
    /^throttle\.first_wait: is longer than .* Write 60 or less\.$/,
  ],
  [
    'listen = "unix:/run/watchword"',
    /^origin: is missing, and a Unix socket has no address\. Write it, such as "https:/,
  ],
  ['listen = "127.0.0.1:0"', /^origin: is missing, and does not follow from listen\. Write it/],
  [
    'listen = "0.0.0.0:80"\norigin = "https://a.example"',
    /^listen: "0\.0\.0\.0:80" is not loopback.* or list the proxies/,
  ],
  [
    `listen = "unix:/${'x'.repeat(103)}"\norigin = "https://a.example"`,
    /^listen: the path .* longer than 103 bytes\. Write a shorter/,
  ],
  ['issuer = ', /^line 1: .* Write TOML/],
  ['issuer = "a"\nissuer = "b"', /^line 2: .* Write TOML/],
]

for (const [toml, refusal] of refusedFiles) {
  test(`refused, with file, key and remedy: ${toml.replaceAll('\n', ' ⏎ ').slice(0, 70)}`, (t) => {
    const { path, ...sources } = settingsFile(t, toml)
    const [problem = '', ...others] = problemsOf(sources)
    assert.deepEqual(others, [])
    assert.ok(problem.startsWith(`${path}: `), problem)
    assert.match(problem.slice(path.length + 2), refusal)
  })
}

// Each row: a variable and its value, and the refusal.
const refusedVariables: readonly (readonly [string, string, RegExp])[] = [
  ['WATCHWORD_LISTN', 'x', /^WATCHWORD_LISTN: is not a setting\. Did you mean "WATCHWORD_LISTEN"\?$/],
  ['WATCHWORD_ISSUER_FILE', '/x', /^WATCHWORD_ISSUER_FILE: is not a setting/],
  ['WATCHWORD_CONFIG', '', /^WATCHWORD_CONFIG: is empty\. Name a file, or unset it\.$/],
  [
    'WATCHWORD_CONFIG',
    'absent.toml',
    /^\/nowhere\/absent\.toml: cannot be read \(ENOENT.* Name a file that can be read/,
  ],
  [
    'WATCHWORD_SESSION_LIMIT',
    '0',
    /^WATCHWORD_SESSION_LIMIT: session\.limit: 0 is too small\. Write a whole number/,
  ],
  [
    'WATCHWORD_SESSION_LIMIT',
    ' 7',
    /^WATCHWORD_SESSION_LIMIT: session\.limit: " 7" is of the wrong type\. Write a whole/,
  ],
  [
    'WATCHWORD_SESSION_LIMIT',
    '',
    /^WATCHWORD_SESSION_LIMIT: session\.limit: "" is of the wrong type\. Write a whole/,
  ],
  ['WATCHWORD_LOGIN_UNIFORM_ERRORS', 'yes', /^WATCHWORD_LOGIN_UNIFORM_ERRORS: .* Write true or false\.$/],
  [
    'WATCHWORD_TRUSTED_PROXIES',
    '192.0.2.1,*',
    /^WATCHWORD_TRUSTED_PROXIES: trusted_proxies: "\*" is a wildcard/,
  ],
  [
    'WATCHWORD_DATABASE_FILE',
    '/nowhere/secret',
    /^WATCHWORD_DATABASE_FILE: database: \/nowhere\/secret cannot be read/,
  ],
]

for (const [variable, value, refusal] of refusedVariables) {
  test(`refused, with the variable and a remedy: ${variable}=${value}`, () => {
    const [problem = '', ...others] = problemsOf({ cwd: '/nowhere', env: { [variable]: value } })
    assert.deepEqual(others, [])
    assert.match(problem, refusal)
  })
}

test('a database given by variable and by file is refused', (t) => {
  const cwd = temporaryFolder(t)
  writeFileSync(join(cwd, 'secret'), 'sqlite:a')
  const env = { WATCHWORD_DATABASE: 'sqlite:b', WATCHWORD_DATABASE_FILE: 'secret' }
  assert.match(problemsOf({ cwd, env }).join(), /^WATCHWORD_DATABASE_FILE: database: is given twice\. Unset/)
})

test('all problems are told at once, each on its own line', (t) => {
  const { cwd } = settingsFile(t, 'issuer = ""\nwrong = 1\n[totp]\nwindow = 3')
  const env = { WATCHWORD_LISTEN: 'here', WATCHWORD_ODD: '' }
  assert.throws(
    () => loadConfig({ cwd, env }),
    (error: ConfigError) => error.message.split('\n').length === 5,
  )
})

test('a file that is a folder, is not UTF-8, or is a link to nothing is refused', (t) => {
  const { cwd } = settingsFile(t, Uint8Array.of(0x61, 0xff))
  mkdirSync(join(cwd, 'folder'))
  assert.match(problemsOf({ cwd, env: {} }).join(), /watchword\.toml: is not UTF-8\./)
  assert.match(problemsOf({ cwd, env: {}, file: 'folder' }).join(), /folder: cannot be read \(EISDIR/)
  const dangling = temporaryFolder(t)
  symlinkSync('/nowhere/watchword.toml', join(dangling, 'watchword.toml'))
  assert.match(problemsOf({ cwd: dangling, env: {} }).join(), /watchword\.toml: cannot be read \(ENOENT/)
})

test('no refusal repeats what may hold a password', (t) => {
  for (const toml of [
    'database = "mysql://u:hush@h/d"',
    'database = "postgres://u:hush@:x"',
    'database =\nhush',
  ]) {
    const { path: _, ...sources } = settingsFile(t, toml)
    const problems = problemsOf(sources).join()
    assert.notEqual(problems, '')
    assert.doesNotMatch(problems, /hush/)
  }
})

test('access policies are tables with names of the operator, read from the file', (t) => {
  const { path: _, ...sources } = settingsFile(
    t,
    '[policies.wiki]\ngroups = ["staff"]\nwithin = 600\nnetworks = ["10.0.0.0/8"]\n[policies.git]\naccess = ["app-password", "password-code"]\ncode_window = 600\n',
  )
  const { policies } = loadConfig(sources)
  assert.deepEqual(Object.keys(policies), ['wiki', 'git'])
  assert.deepEqual(policies.wiki, {
    groups: ['staff'],
    users: [],
    proof: 'two-factor',
    within: 600,
    networks: [{ family: 'ipv4', address: '10.0.0.0', prefix: 8 }],
    lease: 30,
    access: ['session'],
    assertion: false,
  })
  assert.deepEqual([policies.git?.access, policies.git?.codeWindow], [['app-password', 'password-code'], 600])
  const { path: __, ...again } = settingsFile(t, printSettings(loadConfig(sources)))
  assert.deepEqual(loadConfig(again).policies, policies)
})

for (const [toml, problem] of [
  ['[policies.group-staff]', /: policies\.group-staff: is a name that a policy may not have\. Write small/],
  ['[policies.two-factor]', /: policies\.two-factor: is a name/],
  ['[policies.Wiki]', /: policies\.Wiki: is a name/],
  ['[policies.wiki]\nproof = "none"', /: policies\.wiki\.proof: "none" is not allowed\. Write one of/],
  ['[policies.wiki]\ngroups = ["No group"]', /: policies\.wiki\.groups: .* Write a list of names/],
  [
    '[policies.wiki]\ngroup = ["a"]',
    /: policies\.wiki\.group: is not a setting\. Did you mean "policies\.wiki\.groups"/,
  ],
  ['[policies.wiki]\ncode_window = 59', /: policies\.wiki\.code_window: 59 is too small/],
  ['[policies.wiki]\ncode_window = 86401', /: policies\.wiki\.code_window: 86401 is too (?:big|large)/],
  ['[policies.wiki]\naccess = []', /: policies\.wiki\.access: \[\] is too small|too short/],
  ['[policies]\nwiki = 1', /: policies\.wiki: is not a table\. Write \[policies\.wiki\]/],
  ['policies = 1', /: policies: is not a table/],
] as const) {
  test(`refuses ${JSON.stringify(toml)}`, (t) => {
    const { path: _, ...sources } = settingsFile(t, `${toml}\n`)
    assert.throws(() => loadConfig(sources), { message: problem })
  })
}
