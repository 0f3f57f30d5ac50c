import { availableParallelism } from 'node:os'
import { z } from 'zod'
import {
  choice,
  networkList,
  networks,
  number,
  parsed,
  printNetworks,
  seconds,
  section,
  setting,
} from './setting.ts'
import {
  type AuthorizerAddress,
  checkPath,
  parseAccent,
  parseAuthorizer,
  parseAuthorizerBalancer,
  parseLeaseFolder,
  parseOrigin,
  printAuthorizer,
} from './values.ts'

/** The tables of the TOML file, each with its settings. */
export const sections = {
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
