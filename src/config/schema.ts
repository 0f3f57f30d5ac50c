import { z } from 'zod'
import { ownPolicyName, policySchema } from './policies.ts'
import { sections } from './sections.ts'
import { choice, networkList, networks, number, parsed, printNetworks, setting } from './setting.ts'
import {
  checkPath,
  type DatabaseAddress,
  type ListenAddress,
  parseDatabase,
  parseFileMode,
  parseListen,
  parseOrigin,
  printDatabase,
  printFileMode,
  printListen,
} from './values.ts'

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
