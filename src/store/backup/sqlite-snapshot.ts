import { DatabaseSync } from 'node:sqlite'
import { storageFault } from '../../domain/faults.ts'
import type { Snapshot, TableCopy, Value } from './snapshot.ts'
import { BATCH, type CopiedTable, copiedTables } from './tables.ts'

const PATIENCE_MS = 5000

/** A read transaction on a handle of its own: with a write-ahead log it sees what was committed when it began. */
export function sqliteSnapshot(path: string): Snapshot {
  try {
    const database = new DatabaseSync(path, { readOnly: true, timeout: PATIENCE_MS })
    try {
      database.exec('PRAGMA trusted_schema = OFF; BEGIN')
      const names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
      const there = new Set(names.map(({ name }) => name))
      const migrations = there.has('kysely_migration')
        ? database.prepare('SELECT name FROM kysely_migration ORDER BY name').all()
        : []
      return {
        migrations: migrations.map(({ name }) => String(name)),
        tables: copiedTables.filter(({ name }) => there.has(name)).map((table) => tableCopy(database, table)),
        close: async () => database.close(),
      }
    } catch (error) {
      database.close()
      throw error
    }
  } catch (cause) {
    throw storageFault(cause)
  }
}

function tableCopy(database: DatabaseSync, { name, key }: CopiedTable): TableCopy {
  const columns = database
    .prepare('SELECT name FROM pragma_table_info(?) ORDER BY cid')
    .all(name)
    .map((row) => String(row.name))
  return {
    name,
    columns,
    async *rows() {
      const list = columns.map(quoted).join(', ')
      const statement = database.prepare(
        `SELECT ${list} FROM ${quoted(name)} ORDER BY ${key.map(quoted).join(', ')}`,
      )
      statement.setReturnArrays(true)
      let batch: (readonly Value[])[] = []
      try {
        for (const row of statement.iterate()) {
          batch.push(row as unknown as readonly Value[]) // Arrays were asked for, and no column holds bytes.
          if (batch.length === BATCH) {
            yield batch
            batch = []
          }
        }
      } catch (cause) {
        throw storageFault(cause)
      }
      if (batch.length > 0) yield batch
    },
  }
}

const quoted = (name: string) => `"${name}"`
