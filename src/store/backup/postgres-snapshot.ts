import pg from 'pg'
import { storageFault } from '../../domain/faults.ts'
import { postgresTypes } from '../postgres.ts'
import type { Snapshot, TableCopy, Value } from './snapshot.ts'
import { BATCH, type CopiedTable, copiedTables } from './tables.ts'

type Query = (text: string) => Promise<Value[][]>

/** One transaction that sees the database as it was when it began, read through cursors. */
export async function postgresSnapshot(url: string): Promise<Snapshot> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 5000,
    application_name: 'watchword copy',
    types: postgresTypes,
  })
  // A connection that breaks fails the query that is under way; without a listener it would end the process.
  client.on('error', () => undefined)
  const query: Query = async (text) => {
    try {
      return (await client.query<Value[]>({ text, rowMode: 'array' })).rows
    } catch (cause) {
      throw storageFault(cause)
    }
  }
  try {
    await client.connect()
  } catch (cause) {
    throw storageFault(cause)
  }
  try {
    await query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    const columns = await query(
      `SELECT table_name, column_name, data_type FROM information_schema.columns
       WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position`,
    )
    const columnsOf = (name: string) => columns.filter(([table]) => table === name)
    const migrations =
      columnsOf('kysely_migration').length > 0
        ? await query('SELECT name FROM kysely_migration ORDER BY name COLLATE "C"')
        : []
    return {
      migrations: migrations.map(([name]) => String(name)),
      tables: copiedTables
        .map((table) => ({ table, described: columnsOf(table.name) }))
        .filter(({ described }) => described.length > 0)
        .map(({ table, described }) => tableCopy(query, table, described)),
      close: () => client.end(),
    }
  } catch (error) {
    await client.end()
    throw error
  }
}

function tableCopy(query: Query, { name, key }: CopiedTable, described: readonly Value[][]): TableCopy {
  const columns = described.map(([, column]) => String(column))
  const texts = described.filter(([, , type]) => type === 'text').map(([, column]) => column)
  // As SQLite orders them: by bytes, and not as one would in a language.
  const order = key.map((column) => `${quoted(column)}${texts.includes(column) ? ' COLLATE "C"' : ''}`)
  return {
    name,
    columns,
    async *rows() {
      const list = columns.map(quoted).join(', ')
      await query(
        `DECLARE copied NO SCROLL CURSOR FOR SELECT ${list} FROM ${quoted(name)} ORDER BY ${order.join(', ')}`,
      )
      for (;;) {
        const batch = await query(`FETCH ${BATCH} FROM copied`)
        if (batch.length > 0) yield batch
        if (batch.length < BATCH) break
      }
      await query('CLOSE copied')
    },
  }
}

const quoted = (name: string) => `"${name}"`
