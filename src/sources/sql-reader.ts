import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import pg from 'pg'
import { SourceError } from './source-error.ts'

/** A database of another program, open for reading as it was at one moment. */
export interface SqlReader {
  /** The columns of every table, by name. */
  readonly tables: ReadonlyMap<string, ReadonlySet<string>>
  /** The rows of a query whose parameters are `$1`, `$2` and so on. */
  rows(sql: string, parameters?: readonly unknown[]): Promise<SqlRow[]>
  close(): Promise<void>
}

export type SqlRow = Readonly<Record<string, unknown>>

/** Opens `sqlite:FILE` or `postgres://…`; both are read in one transaction that cannot write. */
export async function openSqlReader(address: string): Promise<SqlReader> {
  const [, path] = /^sqlite:(.+)$/.exec(address) ?? []
  if (path !== undefined) return openSqlite(path)
  if (/^postgres(?:ql)?:\/\//.test(address)) return openPostgres(address)
  throw new SourceError(`"${address}" is no database. Write sqlite:FILE or postgres://USER@HOST/NAME.`)
}

function openSqlite(path: string): SqlReader {
  const explained = <T>(work: () => T): T => {
    try {
      return work()
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : 'unreadable'
      throw new SourceError(`${path} cannot be read as a database of SQLite: ${why}. Check the file.`, {
        cause,
      })
    }
  }
  const database = explained(() => new DatabaseSync(path, { readOnly: true, timeout: 5000 }))
  const rows = (sql: string, parameters: readonly unknown[] = []): SqlRow[] => {
    const statement = database.prepare(sql.replaceAll(/\$(\d+)/g, '?$1'))
    statement.setReadBigInts(true)
    return statement.all(...(parameters as readonly SQLInputValue[])) // Values that came out of it, or texts of ours.
  }
  try {
    const tables = explained(() => {
      database.exec('PRAGMA trusted_schema = OFF; PRAGMA query_only = ON; BEGIN')
      // No views: they may be queries that never end.
      const found =
        rows(`select m.name as "table", c.name as "column" from sqlite_master m, pragma_table_info(m.name) c
        where m.type = 'table' and m.rootpage > 0`)
      return columnsByTable(found)
    })
    return {
      tables,
      rows: async (sql, parameters) => explained(() => rows(sql, parameters)),
      close: async () => database.close(),
    }
  } catch (error) {
    database.close()
    throw error
  }
}

async function openPostgres(address: string): Promise<SqlReader> {
  const client = new pg.Client({
    connectionString: address,
    connectionTimeoutMillis: 10_000,
    statement_timeout: 60_000,
    application_name: 'watchword import',
    // Everything as the text that it is sent as, so that both engines are read by the same rules.
    types: { getTypeParser: () => (value: string | Buffer) => value.toString() },
  })
  // What breaks the connection also fails the query under way, which tells it.
  client.on('error', () => undefined)
  const explained = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : 'unreadable'
      throw new SourceError(
        `The database of the source failed: ${why}. Check its address and its password.`,
        {
          cause,
        },
      )
    }
  }
  const rows = async (sql: string, parameters: readonly unknown[] = []): Promise<SqlRow[]> =>
    (await explained(client.query(sql, [...parameters]))).rows
  await explained(client.connect())
  try {
    await rows('begin isolation level repeatable read read only')
    await rows(`set local time zone 'UTC'`)
    const found = await rows(`select c.table_name as "table", c.column_name as "column"
      from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
      where table_schema = current_schema() and t.table_type = 'BASE TABLE'`)
    return { tables: columnsByTable(found), rows, close: () => client.end() }
  } catch (error) {
    await client.end()
    throw error
  }
}

function columnsByTable(rows: readonly SqlRow[]): Map<string, Set<string>> {
  const tables = new Map<string, Set<string>>()
  for (const { table, column } of rows) {
    const columns = tables.get(String(table)) ?? new Set()
    columns.add(String(column))
    tables.set(String(table), columns)
  }
  return tables
}
