import type { ImportRecord, SourceDevice } from '../domain/import-record.ts'
import { decodeBase32 } from '../domain/otp/base32.ts'
import { djangoHash } from './django-hash.ts'
import { SourceError } from './source-error.ts'
import { openSqlReader, type SqlReader, type SqlRow } from './sql-reader.ts'
import { flagOf, instantOf, numberOf, textOf } from './sql-values.ts'

/** Where a site of Django is and how its tables are to be read. */
export interface DjangoSource {
  /** `sqlite:FILE` or `postgres://…`. */
  readonly database: string
  /** `auth_user`, unless the site has a model of its own. */
  readonly userTable: string
  /** The table of a profile with a column `shared_secret` in base32. */
  readonly profileTable: string | undefined
  /** Whether keys that are not hexadecimal are read as base32. */
  readonly base32Keys: boolean
}

/** People read at once; few enough that every list of their identifiers fits one statement. */
const PAGE = 500

/**
 * The people of a site of Django: `auth_user` with groups, and the devices of django-otp where it has its tables.
 *
 * One moment of the database is read, a page at a time. Left out, since nothing here corresponds: addresses of
 * e-mail, the mark of staff, permissions, and devices that were not confirmed. Confirmed ones of any other plugin, by their
 * columns `user_id` and `confirmed`, come as devices that cannot be read.
 */
export async function* readDjango(source: DjangoSource): AsyncGenerator<ImportRecord> {
  const reader = await openSqlReader(source.database)
  try {
    const columns = reader.tables.get(source.userTable)
    if (columns === undefined)
      throw new SourceError(
        `There is no table "${source.userTable}" in that database. Is it the right one? See --user-table.`,
      )
    if (source.profileTable !== undefined && !reader.tables.has(source.profileTable))
      throw new SourceError(
        `There is no table "${source.profileTable}" in that database. See --seed-profile.`,
      )
    const ends = new Set<unknown>()
    for (let after: unknown; ; ) {
      const users = await userPage(reader, source.userTable, columns, after)
      const last = users.at(-1)
      if (last === undefined) return
      // The pages of a damaged file may lead in a circle.
      if (ends.has(last.id))
        throw new SourceError(`The table "${source.userTable}" is damaged. Check the file.`)
      ends.add(last.id)
      yield* await recordsOf(reader, source, users)
      after = last.id
    }
  } finally {
    await reader.close()
  }
}

const wanted = {
  text: ['username', 'password', 'first_name', 'last_name'],
  plain: ['is_active', 'is_superuser', 'date_joined', 'last_login'],
} as const

function userPage(reader: SqlReader, table: string, columns: ReadonlySet<string>, after: unknown) {
  for (const column of ['id', 'username', 'password']) {
    if (!columns.has(column)) throw new SourceError(`The table "${table}" has no column "${column}".`)
  }
  const list = [
    'id',
    // Bounded by the database, for a field may hold anything.
    ...wanted.text.filter((name) => columns.has(name)).map((name) => `substr(${name}, 1, 600) as ${name}`),
    ...wanted.plain.filter((name) => columns.has(name)),
  ].join(', ')
  const where = after === undefined ? '' : 'where id > $1'
  return reader.rows(
    `select ${list} from ${quoted(table)} ${where} order by id limit ${PAGE}`,
    after === undefined ? [] : [after],
  )
}

async function recordsOf(
  reader: SqlReader,
  source: DjangoSource,
  users: readonly SqlRow[],
): Promise<ImportRecord[]> {
  const ids = users.map(({ id }) => id)
  const groups = await groupsOf(reader, source.userTable, ids)
  const secrets = await secretsOf(reader, source.profileTable, ids)
  const devices = await devicesOf(reader, ids)
  const tokens = await tokensOf(reader, ids)
  const others = await otherDevicesOf(reader, ids)
  return users.map((user) => {
    const key = String(user.id)
    const profile = secrets.get(key)?.[0]
    return {
      sourceId: key,
      username: textOf(user.username) ?? '',
      displayName: [user.first_name, user.last_name]
        .map((part) => textOf(part)?.trim() ?? '')
        .filter((part) => part !== '')
        .join(' '),
      isSuperuser: flagOf(user.is_superuser) === true,
      // Whatever is not said to be active stays out.
      isDisabled: user.is_active !== undefined && flagOf(user.is_active) !== true,
      createdAt: instantOf(user.date_joined),
      lastSignInAt: instantOf(user.last_login),
      passwordHash: djangoHash(textOf(user.password) ?? ''),
      isPin: false,
      groups: (groups.get(key) ?? []).map(({ name }) => textOf(name) ?? ''),
      devices: [
        ...readDevices(devices.get(key) ?? [], profile, source),
        ...(others.get(key) ?? [])
          .filter((device) => device.table !== STATIC || !tokens.has(key))
          .map(unknown),
      ],
      // Those that are left out are not forgotten: whoever has some had a second factor.
      codes: (tokens.get(key) ?? []).map(({ token }) => randomToken(textOf(token) ?? '')),
      notes: [],
    }
  })
}

const isConfirmed = (row: SqlRow): boolean => flagOf(row.confirmed) === true

/** The table of devices that have static tokens. */
const STATIC = 'otp_static_staticdevice'

/** Those that are read; whatever else has the columns of a device of django-otp is one of another plugin. */
const readTables = new Set(['otp_totp_totpdevice', 'otp_hotp_hotpdevice'])

/** Confirmed devices of which nothing can be here, with their table: whoever has one had a second factor all the same. */
async function otherDevicesOf(reader: SqlReader, ids: readonly unknown[]): Promise<RowsByUser> {
  const merged = new Map<string, SqlRow[]>()
  for (const [table, columns] of reader.tables) {
    if (readTables.has(table) || !['user_id', 'confirmed'].every((name) => columns.has(name))) continue
    for (const [user, rows] of await rowsOf(reader, table, ['id', 'confirmed'], ids)) {
      const confirmed = rows.filter(isConfirmed).map((row) => ({ ...row, table }))
      if (confirmed.length > 0) merged.set(user, [...(merged.get(user) ?? []), ...confirmed])
    }
  }
  return merged
}

const unknown = ({ table, id }: SqlRow): SourceDevice => ({
  kind: 'unreadable',
  sourceId: `${table} ${id}`,
  because: `there is nothing here like a device of ${table}`,
})

/** The token if django-otp drew it; others were typed by somebody, and can be guessed. */
const randomToken = (token: string): string => (/^(?=.*[a-z])[a-z2-7]{8}$/.test(token) ? token : '')

type RowsByUser = ReadonlyMap<string, readonly SqlRow[]>

async function groupsOf(reader: SqlReader, userTable: string, ids: readonly unknown[]): Promise<RowsByUser> {
  const link = `${userTable}_groups`
  // Named after the model, whatever the site calls it.
  const column = [...(reader.tables.get(link) ?? [])].find((name) => name !== 'id' && name !== 'group_id')
  if (column === undefined || !reader.tables.has('auth_group')) return new Map()
  return byUser(
    await reader.rows(
      `select l.${quoted(column)} as user_id, substr(g.name, 1, 200) as name
        from ${quoted(link)} l join auth_group g on g.id = l.group_id
        where l.${quoted(column)} in (${marks(ids)}) order by g.name`,
      ids,
    ),
  )
}

async function secretsOf(
  reader: SqlReader,
  table: string | undefined,
  ids: readonly unknown[],
): Promise<RowsByUser> {
  return table === undefined ? new Map() : rowsOf(reader, table, ['id', 'shared_secret'], ids)
}

async function devicesOf(reader: SqlReader, ids: readonly unknown[]): Promise<RowsByUser> {
  const merged = new Map<string, SqlRow[]>()
  const shared = ['id', 'name', 'confirmed', 'key', 'digits', 'last_used_at']
  for (const [table, kind, own] of [
    ['otp_totp_totpdevice', 'totp', ['step', 't0', 'drift', 'last_t']],
    ['otp_hotp_hotpdevice', 'hotp', ['counter']],
  ] as const) {
    for (const [user, rows] of await rowsOf(reader, table, [...shared, ...own], ids)) {
      merged.set(user, [...(merged.get(user) ?? []), ...rows.map((row) => ({ ...row, kind }))])
    }
  }
  return merged
}

async function tokensOf(reader: SqlReader, ids: readonly unknown[]): Promise<RowsByUser> {
  const { tables } = reader
  if (!tables.has(STATIC) || !tables.has('otp_static_statictoken')) return new Map()
  const rows = await reader.rows(
    `select d.user_id, d.confirmed, substr(t.token, 1, 100) as token
      from ${STATIC} d join otp_static_statictoken t on t.device_id = d.id
      where d.user_id in (${marks(ids)}) order by t.id`,
    ids,
  )
  return byUser(rows.filter(isConfirmed))
}

/** Some columns of the rows that belong to these users, as far as the table has them, and it is there at all. */
async function rowsOf(
  reader: SqlReader,
  table: string,
  columns: readonly string[],
  ids: readonly unknown[],
): Promise<RowsByUser> {
  const there = reader.tables.get(table)
  if (there?.has('user_id') !== true) return new Map()
  const list = ['user_id', ...columns.filter((name) => there.has(name))].map((name) =>
    texts.has(name) ? `substr(${name}, 1, 300) as ${name}` : name,
  )
  const order = there.has('id') ? 'order by id' : ''
  const rows = await reader.rows(
    `select ${list.join(', ')} from ${quoted(table)} where user_id in (${marks(ids)}) ${order}`,
    ids,
  )
  return byUser(rows)
}

const texts = new Set(['name', 'key', 'shared_secret'])

function byUser(rows: readonly SqlRow[]): RowsByUser {
  const grouped = new Map<string, SqlRow[]>()
  for (const row of rows) {
    const user = String(row.user_id)
    grouped.set(user, [...(grouped.get(user) ?? []), row])
  }
  return grouped
}

const marks = (values: readonly unknown[]): string => values.map((_, index) => `$${index + 1}`).join(', ')
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** The confirmed devices, and the secret of a profile when none of them has it. */
function readDevices(
  rows: readonly SqlRow[],
  profile: SqlRow | undefined,
  { base32Keys }: DjangoSource,
): SourceDevice[] {
  const secret = textOf(profile?.shared_secret) ?? ''
  const confirmed = rows.filter(isConfirmed)
  const devices = confirmed.map((row): SourceDevice => {
    const text = textOf(row.key) ?? ''
    // The profile says that this very text is base32.
    const isSecret = secret !== '' && text === secret
    const key =
      (isSecret ? undefined : hexKey(text)) ?? (isSecret || base32Keys ? base32Key(text) : undefined)
    return key === undefined ? unreadable(row, text) : readDevice(row, key)
  })
  const secretKey = base32Key(secret)
  const isThere = devices.some((device) => 'key' in device && secretKey?.equals(device.key) === true)
  if (profile === undefined || secret === '' || isThere) return devices
  const profileId = `profile ${profile.id}`
  if (secretKey === undefined)
    return [
      ...devices,
      { kind: 'unreadable', sourceId: profileId, because: 'its shared secret is not base32' },
    ]
  const fresh = { name: 'Authenticator', digits: 6n, step: 30n, t0: 0n, drift: 0n, last_t: -1n, kind: 'totp' }
  return [...devices, { ...readDevice({ ...fresh, id: profile.id }, secretKey), sourceId: profileId }]
}

function readDevice(row: SqlRow, key: Buffer): SourceDevice {
  const isTotp = row.kind === 'totp'
  return {
    kind: isTotp ? 'totp' : 'hotp',
    sourceId: `${row.kind} ${row.id}`,
    name: textOf(row.name) ?? '',
    key,
    algorithm: 'sha1',
    digits: numberOf(row.digits),
    period: isTotp ? numberOf(row.step) : 30,
    t0: isTotp ? numberOf(row.t0) : 0,
    drift: isTotp ? numberOf(row.drift) : 0,
    lastUsedStep: isTotp ? numberOf(row.last_t) : -1,
    counter: isTotp ? 0 : numberOf(row.counter),
    lastUsedAt: instantOf(row.last_used_at),
  }
}

function unreadable(row: SqlRow, text: string): SourceDevice {
  const looksLikeBase32 = base32Key(text) !== undefined
  const because = looksLikeBase32
    ? 'its key is not hexadecimal but looks like base32; see --base32-keys'
    : 'its key is not hexadecimal'
  return { kind: 'unreadable', sourceId: `${row.kind} ${row.id}`, because }
}

const hexKey = (text: string): Buffer | undefined =>
  /^(?:[0-9a-f]{2}){1,128}$/i.test(text) ? Buffer.from(text, 'hex') : undefined

function base32Key(text: string): Buffer | undefined {
  const key = decodeBase32(text)
  return key === undefined || key.length === 0 ? undefined : Buffer.from(key)
}
