import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { DEFAULT_LEASE, isBuiltInPolicy, LEASE_MAXIMUM, policyNameShape } from '../domain/access.ts'
import { groupNameProblem } from '../domain/group.ts'
import {
  type AuthorizerAddress,
  checkPath,
  type DatabaseAddress,
  type ListenAddress,
  type Network,
  parseAccent,
  parseAuthorizer,
  parseAuthorizerBalancer,
  parseDatabase,
  parseFileMode,
  parseLeaseFolder,
  parseListen,
  parseNetwork,
  parseOrigin,
  printAuthorizer,
  printDatabase,
  printFileMode,
  printListen,
  printNetwork,
  type Refuse,
} from './values.ts'

/** What stands beside each setting in the table: all that documentation, messages and the environment need. */
export interface SettingNote {
  /** How it is written in the environment: as it is, as digits, true/false, or separated by commas. */
  readonly kind: 'text' | 'number' | 'boolean' | 'list'
  /** What to write, to end the sentence "Write …": type, unit and range. */
  readonly type: string
  /** The default as one would write it; text in brackets describes one that is worked out. */
  readonly fallback: string
  readonly help: string
  /** A value that may hold a password: never shown in a message, and readable from a file (`…_FILE`). */
  readonly secret?: true
  /** Writes a parsed value as one would write the setting. */
  readonly print: (value: never) => string
}

/** The notes of all settings, by their schema. */
export const settingNotes = z.registry<SettingNote>()

const networks = 'a list of IP addresses and networks, such as ["192.0.2.7", "2001:db8::/64"]'

const sections = {
  login: section({
    enrolment: choice(['required', 'optional'], {
      fallback: 'required',
      help: 'Whether everybody must have a one-time code, or may sign in with a password alone until they have one.',
    }),
    uniform_errors: setting(z.boolean().default(false), {
      kind: 'boolean',
      type: 'true or false',
      fallback: 'false',
      help: 'Answer a wrong password and a wrong code alike, so that nobody learns which of them was right.',
      print: String,
    }),
    form: choice(['steps', 'single'], {
      fallback: 'steps',
      help: 'Whether the page asks for username and password first and then for the code, or for all three at once.',
    }),
    return_origins: setting(z.array(parsed(parseOrigin)).max(1000).default([]).readonly(), {
      kind: 'list',
      type: 'a list of schemes and hosts, such as ["https://wiki.example.com"]',
      fallback: '[]',
      help: 'Other origins that people may be sent back to after signing in; our own always is.',
      print: JSON.stringify,
    }),
    lifetime: seconds(300, [60, 300], 'How long a login may wait for its next step.'),
    enrolment_lifetime: seconds(600, [120, 600], 'How long a new authenticator may wait for its first code.'),
  }),
  brand: section({
    name: setting(
      z
        .string()
        .regex(/^[^\p{C}]{1,64}$/u)
        .default('Watchword'),
      {
        kind: 'text',
        type: '1 to 64 characters',
        fallback: 'Watchword',
        help: 'The name on the pages.',
        print: String,
      },
    ),
    accent: setting(parsed(parseAccent).default('#2f5bd7'), {
      kind: 'text',
      type: 'a colour in which white text can be read, such as "#2f5bd7"',
      fallback: '#2f5bd7',
      help: 'The colour of buttons and links.',
      print: String,
    }),
    logo: setting(parsed(checkPath).optional(), {
      kind: 'text',
      type: 'the path of an SVG or PNG file of at most 64 KiB',
      fallback: '(none)',
      help: 'Shown above the name on the pages.',
      print: String,
    }),
  }),
  session: section({
    idle_timeout: seconds(3600, [60, 86400], 'A session ends after this long without a request.'),
    absolute_lifetime: seconds(
      43200,
      [300, 86400],
      'A session ends this long after signing in, used or not.',
    ),
    fresh_for: seconds(
      300,
      [30, 900],
      'How long after a full sign-in factors may be changed without a new proof.',
    ),
    limit: number(
      'sessions',
      20,
      [1, 100],
      'Sessions a user may have at once; the oldest ends when one more begins.',
    ),
    browser_lifetime_days: number(
      'days',
      180,
      [1, 400],
      'How long a browser that signed in fully is known, so that strangers who guess cannot slow its user down.',
    ),
  }),
  totp: section({
    window: number(
      'time steps',
      1,
      [0, 2],
      'Steps accepted either side of the current one, for clocks that drift.',
    ),
    maximum_devices: number('authenticators', 5, [1, 5], 'Authenticators a user may have.'),
  }),
  password: section({
    minimum_length: number(
      'characters',
      8,
      [8, 64],
      'Shortest password where a one-time code is always demanded.',
    ),
    minimum_length_alone: number(
      'characters',
      15,
      [15, 64],
      'Shortest password where it may open a session alone.',
    ),
    barred_words: setting(z.array(z.string().min(1).max(64)).max(1000).default([]), {
      kind: 'list',
      type: 'a list of up to 1000 words of 1 to 64 characters, such as ["acme", "springfield"]',
      fallback: '[]',
      help: 'Words of your own that a password must not be made of, such as the name of your organisation.',
      print: JSON.stringify,
    }),
    breached_hashes: setting(parsed(checkPath).optional(), {
      kind: 'text',
      type: 'the path of a file',
      fallback: '(none)',
      help: 'File of SHA-1 hashes of breached passwords in hex, one a line, sorted by hash; more on a line, such as a count, is ignored.',
      print: String,
    }),
    memory_kib: number('KiB', 19_456, [19_456, 1_048_576], 'Memory of one password hash (argon2id).'),
    passes: number(
      'passes',
      2,
      [1, 10],
      'Passes of one password hash; 1 needs a memory_kib of 47104 or more.',
    ),
    parallelism: number('lanes', 1, [1, 4], 'Lanes of one password hash.'),
    hash_threads: number(
      'threads',
      Math.min(availableParallelism(), 4),
      [1, 64],
      'Password hashes that are computed at once; the default is the number of cores, at most 4.',
      '(cores, at most 4)',
    ),
    hash_queue: number(
      'requests',
      64,
      [1, 1024],
      'Password hashes that may wait; more are answered 503 at once.',
    ),
    hash_deadline: seconds(
      5,
      [1, 60],
      'How long a password hash may wait before its request is answered 503.',
    ),
  }),
  app_passwords: section({
    longest_days: number(
      'days',
      365,
      [0, 400],
      'Longest life of an app password that is made from now on; 0 lets people make some that do not end.',
    ),
  }),
  throttle: section({
    password_free: number(
      'attempts',
      5,
      [1, 20],
      'Wrong passwords a user may send before the next one has to wait.',
    ),
    code_free: number('attempts', 5, [1, 10], 'Wrong codes a user may send before the next one has to wait.'),
    first_wait: seconds(30, [1, 3600], 'The first wait; each further failure doubles it.'),
    longest_wait: seconds(3600, [60, 86400], 'The longest wait.'),
    disable_after: number(
      'wrong codes',
      100,
      [20, 100],
      'Wrong codes in a row that disable an authenticator.',
    ),
    network_limit: number(
      'attempts',
      100,
      [10, 100_000],
      'Attempts from one address (IPv4) or /64 (IPv6) in a window.',
    ),
    network_window: seconds(900, [60, 86400], 'Length of the window of network_limit and site_limit.'),
    site_limit: number(
      'attempts',
      1000,
      [10, 1_000_000],
      'Attempts from one /24 (IPv4) or /48 (IPv6) in a window.',
    ),
    server_limit: number(
      'attempts',
      1000,
      [10, 1_000_000],
      'Attempts in one server_window, from everywhere together.',
    ),
    server_window: seconds(60, [1, 3600], 'Length of the window of server_limit.'),
  }),
  metrics: section({
    networks: setting(networkList(['127.0.0.0/8', '::1/128']), {
      kind: 'list',
      type: networks,
      fallback: '["127.0.0.0/8", "::1/128"]',
      help: 'Who may read /metrics.',
      print: printNetworks,
    }),
  }),
  authorizer: section({
    listen: setting(parsed(parseAuthorizer).default({ kind: 'tcp', host: '127.0.0.1', port: 9010 }), {
      kind: 'text',
      type: '"off", or "host:port" on this machine itself, such as "127.0.0.1:9010"',
      fallback: '127.0.0.1:9010',
      help: 'Where Apache asks whether a request may enter a protected place. Other proxies ask at listen.',
      print: (address: AuthorizerAddress) => printAuthorizer(address),
    }),
    balancer: setting(parsed(parseAuthorizerBalancer).optional(), {
      kind: 'text',
      type: '"host:port" on this machine itself, such as "127.0.0.1:9009"',
      fallback: '(none: Apache asks at authorizer.listen)',
      help: 'Where Apache asks instead: a program on this machine that passes on to the authorizers of several nodes. After a change run apache install.',
      print: (address: AuthorizerAddress) => printAuthorizer(address),
    }),
    secret_file: setting(parsed(checkPath).optional(), {
      kind: 'text',
      type: 'the path of a file',
      fallback: '(authorizer-secret in data)',
      help: 'Secret by which Apache, or another proxy, shows that it is the one who asks. Made at the first start.',
      print: String,
    }),
    lease_directory: setting(parsed(parseLeaseFolder).optional(), {
      kind: 'text',
      type: 'an absolute path of letters, digits, ".", "_", "-" and "/", such as "/run/watchword/leases"',
      fallback: '(none: Apache asks each time)',
      help:
        'Folder in memory by which Apache admits a session again for a while without asking, until it is revoked. ' +
        'Made and emptied at each start. Give it here and not in the environment alone: commands that revoke read it too.',
      print: String,
    }),
  }),
}

/** One access policy of the operator's own, under `[policies.NAME]`. */
const policySchema = z.strictObject({
  groups: names('Groups of which one is enough to enter; with no users either, everybody may.', (name) => {
    return groupNameProblem(name) === undefined
  }),
  users: names('Users who may enter.', (name) => name.length > 0 && name.length <= 64),
  proof: choice(['password', 'two-factor'], {
    fallback: 'two-factor',
    help: 'What a session must stand on.',
  }),
  within: setting(z.int().min(60).max(86400).optional(), {
    kind: 'number',
    type: 'a whole number of seconds from 60 to 86400',
    fallback: '(as long as the session holds)',
    help: 'How long ago that proof may have been given. Not where access has "app-password", which is proven once, when it is made.',
    print: String,
  }),
  networks: setting(networkList([]), {
    kind: 'list',
    type: networks,
    fallback: '[]',
    help: 'From where one may enter; none for everywhere. An addition: an address alone opens nothing.',
    print: printNetworks,
  }),
  lease: setting(z.int().min(0).max(LEASE_MAXIMUM).default(DEFAULT_LEASE), {
    kind: 'number',
    type: `a whole number of seconds from 0 to ${LEASE_MAXIMUM}`,
    fallback: String(DEFAULT_LEASE),
    help: 'How long Apache may admit a session again without asking, where authorizer.lease_directory is given; 0 for not at all. Nothing is leased where networks decide, nor with assertions.',
    print: String,
  }),
  access: setting(
    z
      .array(z.enum(['session', 'app-password', 'password-code']))
      .min(1)
      .max(3)
      .default(['session'])
      .readonly(),
    {
      kind: 'list',
      type: 'a list of "session", "app-password", "password-code"',
      fallback: '["session"]',
      help:
        'By what one may enter: signed in with a browser, with an app password that names this policy, or, from programs ' +
        'that have one field only, with the password and a code right behind it.',
      print: JSON.stringify,
    },
  ),
  assertion: setting(z.boolean().default(false), {
    kind: 'boolean',
    type: 'true or false',
    fallback: 'false',
    help: 'Whether the application is told who came by a signed assertion too, in X-Watchword-Assertion. After a change run apache install.',
    print: String,
  }),
  code_window: setting(z.int().min(60).max(86_400).optional(), {
    kind: 'number',
    type: 'a whole number of seconds from 60 to 86400',
    fallback: '28800',
    help:
      'For how long a password and code in one field go on opening this, from the same address; never longer than within. ' +
      'The code is spent at once.',
    print: String,
  }),
})

/** Tables whose names the operator chooses. They stand in the file only: a variable has no room for a name. */
export const namedTables = { policies: policySchema } as const

/** Whether the operator may call a policy so. */
const ownPolicyName = z.string().refine((name) => policyNameShape.test(name) && !isBuiltInPolicy(name))

/** All settings: the one place that knows their names, types, ranges, defaults and help. Unknown keys are refused. */
export const settingsSchema = z.strictObject({
  data: setting(parsed(checkPath).default('data'), {
    kind: 'text',
    type: 'the path of a folder',
    fallback: 'data',
    help: 'Folder of the database and the key file. Relative paths start at the folder of watchword.toml.',
    print: String,
  }),
  listen: setting(parsed(parseListen).default({ kind: 'tcp', host: '127.0.0.1', port: 8000 }), {
    kind: 'text',
    type: '"host:port" or "unix:path", such as "127.0.0.1:8000"',
    fallback: '127.0.0.1:8000',
    help:
      'Where the server waits for Apache: a loopback address or a Unix socket. Another address needs trusted_proxies. ' +
      'Port 0 takes a free one.',
    print: (listen: ListenAddress) => printListen(listen),
  }),
  socket_mode: setting(parsed(parseFileMode).default(0o660), {
    kind: 'text',
    type: 'three octal digits in quotes, such as "660"',
    fallback: '660',
    help: 'Permissions of the Unix socket. Whoever may write to it is believed about the address of a client.',
    print: (mode: number) => printFileMode(mode),
  }),
  origin: setting(parsed(parseOrigin).optional(), {
    kind: 'text',
    type: 'scheme and host, such as "https://auth.example.com"; http only for localhost, 127.0.0.0/8 and [::1]',
    fallback: '(http:// and the address of listen)',
    help: 'The address people see in their browser. Must be given for a Unix socket.',
    print: (origin: string) => origin,
  }),
  database: setting(parsed(parseDatabase).optional(), {
    kind: 'text',
    type: '"sqlite:path" or "postgres://user@host/name"',
    fallback: '(sqlite:watchword.sqlite3 in data)',
    help: 'The database. Its URL may hold a password: WATCHWORD_DATABASE_FILE names a file to read it from.',
    secret: true,
    print: (database: DatabaseAddress) => printDatabase(database),
  }),
  database_connections: number(
    'connections',
    10,
    [2, 200],
    'Most connections to PostgreSQL that one process keeps; each worker has its own.',
  ),
  key_file: setting(parsed(checkPath).optional(), {
    kind: 'text',
    type: 'the path of a file',
    fallback: '(keys.json in data)',
    help: 'Keys that seal the secrets in the database. Keep it apart from backups of the database.',
    print: String,
  }),
  workers: setting(z.union([z.literal('auto'), z.int().min(1).max(64)]).default(1), {
    kind: 'number',
    type: '"auto", or a whole number of processes from 1 to 64',
    fallback: '1',
    help:
      'Processes that answer, on PostgreSQL; "auto" is one for each core. On SQLite it is one, and "auto" means that. ' +
      'Under Passenger it is always one.',
    print: String,
  }),
  trusted_proxies: setting(networkList([]), {
    kind: 'list',
    type: networks,
    fallback: '[]',
    help:
      'Peers whose X-Forwarded-For is believed. No wildcards. ' +
      'The peer of a Unix socket is always trusted: permissions of the socket decide who that is.',
    print: printNetworks,
  }),
  issuer: setting(
    z
      .string()
      .min(1)
      .max(64)
      // A colon parts issuer and user in the label of an otpauth URI.
      .regex(/^[^:\p{Cc}]*$/u)
      .default('Watchword'),
    {
      kind: 'text',
      type: '1 to 64 characters without a colon',
      fallback: 'Watchword',
      help: 'The name that authenticators show beside the code.',
      print: String,
    },
  ),
  log_level: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    fallback: 'info',
    help: 'The least serious messages that are logged.',
  }),
  audit_retention_days: number('days', 400, [1, 3650], 'How long audit events are kept.'),
  ...sections,
  policies: z.record(ownPolicyName, policySchema).default({}),
})

/** The settings as the table parses them, in the spelling of TOML. */
export type Settings = z.output<typeof settingsSchema>

/** One setting, with its note. */
function setting<S extends z.ZodType>(
  schema: S,
  note: Omit<SettingNote, 'print'> & { readonly print: (value: Exclude<z.output<S>, undefined>) => string },
): S {
  settingNotes.add(schema, note)
  return schema
}

/** A table of the TOML file; one that is absent is as one that is empty. */
function section<S extends z.ZodRawShape>(shape: S) {
  // The empty table is right for every section, since each setting in it has a default or is optional.
  return z.strictObject(shape).prefault({} as z.input<z.ZodObject<S, z.core.$strict>>)
}

function number(
  unit: string,
  fallback: number,
  [least, most]: readonly [number, number],
  help: string,
  fallbackText = String(fallback),
) {
  return setting(z.int().min(least).max(most).default(fallback), {
    kind: 'number',
    type: `a whole number of ${unit} from ${least} to ${most}`,
    fallback: fallbackText,
    help,
    print: String,
  })
}

/** A list of names of people or groups. */
function names(help: string, isName: (name: string) => boolean) {
  return setting(z.array(z.string().refine(isName)).max(1000).default([]).readonly(), {
    kind: 'list',
    type: 'a list of names, such as ["alice", "bob"]',
    fallback: '[]',
    help,
    print: JSON.stringify,
  })
}

function seconds(fallback: number, range: readonly [number, number], help: string) {
  return number('seconds', fallback, range, help)
}

function choice<const V extends string>(values: readonly V[], note: { fallback: NoInfer<V>; help: string }) {
  return setting(z.enum(values).default(note.fallback), {
    kind: 'text',
    type: `one of ${values.map((value) => `"${value}"`).join(', ')}`,
    ...note,
    print: String,
  })
}

/** Text that a parser turns into what it means; the parser's refusal becomes the problem. */
function parsed<T>(parse: (text: string, refuse: Refuse) => T) {
  return z.string().transform((text, context): T => {
    return parse(text, (why) => {
      context.addIssue({ code: 'custom', message: why })
      return z.NEVER
    })
  })
}

function networkList(fallback: string[]) {
  return z.array(parsed(parseNetwork)).max(1000).prefault(fallback).readonly()
}

function printNetworks(list: readonly Network[]): string {
  return JSON.stringify(list.map(printNetwork))
}
