import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'
import { until } from '../bounded.ts'
import type { Standing } from './world.ts'

/** What the database says, read past the program. */
export interface Records {
  /** Waits, for half a minute at most, until nothing is under way any more of those that nobody waits for. */
  quiet(): Promise<unknown>
  /** Of these people; whoever is not there is left out. */
  standings(usernames: readonly string[]): Promise<ReadonlyMap<string, Standing>>
  /** What is wrong with the database itself: a sentence each. */
  faults(): Promise<string[]>
  query(sql: string): Promise<Readonly<Record<string, unknown>>[]>
  close(): Promise<void>
}

/** A file of SQLite that a server has open; what it committed is seen. */
export function sqliteRecords(path: string): Records {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 })
  const query = async (sql: string) => database.prepare(sql).all()
  return {
    query,
    // A transaction ends with the process that made it.
    quiet: async () => undefined,
    standings: (usernames) => standings(query, usernames),
    async faults() {
      const integrity = (await query('PRAGMA integrity_check')).map((row) => String(row.integrity_check))
      const foreign = await query('PRAGMA foreign_key_check')
      return [
        ...integrity.filter((line) => line !== 'ok'),
        ...(foreign.length > 0 ? [`${foreign.length} rows belong to none`] : []),
      ]
    },
    close: async () => database.close(),
  }
}

/** A database of PostgreSQL, which may have been restarted since it was asked last. */
export function postgresRecords(url: string): Records {
  let open: Client | undefined
  const connected = async (): Promise<Client> => {
    if (open !== undefined) return open
    const client = new Client({ connectionString: url })
    const forget = () => {
      if (open === client) open = undefined
    }
    client.on('error', forget)
    client.on('end', forget)
    await client.connect()
    open = client
    return client
  }
  const query = async (sql: string): Promise<Record<string, unknown>[]> => {
    const client = await connected()
    return (await client.query(sql)).rows
  }
  return {
    query,
    quiet: () =>
      until(async () => {
        const busy = await query(`SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
          AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle'`)
        return busy.length === 0
      }, 30_000),
    standings: (usernames) => standings(query, usernames),
    // It checks its constraints by itself; what is left is whether tables and indexes say the same.
    async faults() {
      await query('CREATE EXTENSION IF NOT EXISTS amcheck')
      return query(`SELECT bt_index_check(c.oid, true) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'btree' AND c.relkind = 'i'
        AND c.relnamespace = 'public'::regnamespace`).then(
        () => [],
        (error: unknown) => [String(error)],
      )
    },
    close: async () => open?.end(),
  }
}

/** Reads the same of both engines. */
async function standings(
  query: Records['query'],
  usernames: readonly string[],
): Promise<ReadonlyMap<string, Standing>> {
  if (usernames.length === 0) return new Map()
  const names = usernames.map((name) => `'${name}'`).join(', ')
  const count = (table: string, more = '') =>
    `(SELECT count(*) FROM ${table} WHERE user_id = u.id${more}) AS ${table}`
  const people = await query(`SELECT u.username, u.disabled_at,
    ${count('session')}, ${count('recovery_code')}, ${count('app_password')}, ${count('group_member')},
    ${count('otp_device', ' AND confirmed_at IS NOT NULL')} FROM "user" u WHERE u.username IN (${names})`)
  const events = await query(`SELECT u.username, a.event, count(*) AS events FROM "user" u
    JOIN audit_event a ON a.user_id = u.id WHERE u.username IN (${names}) AND a.outcome = 'success' GROUP BY 1, 2`)
  const ofPerson = new Map<string, Record<string, number>>()
  for (const { username, event, events: many } of events) {
    const known = ofPerson.get(String(username)) ?? {}
    known[String(event)] = Number(many)
    ofPerson.set(String(username), known)
  }
  return new Map(
    people.map((row) => [
      String(row.username),
      {
        isDisabled: row.disabled_at !== null,
        devices: Number(row.otp_device),
        recoveryCodes: Number(row.recovery_code),
        sessions: Number(row.session),
        appPasswords: Number(row.app_password),
        groups: Number(row.group_member),
        events: ofPerson.get(String(row.username)) ?? {},
      },
    ]),
  )
}
