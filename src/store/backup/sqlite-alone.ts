import { DatabaseSync } from 'node:sqlite'

/**
 * Holds the file of a database that no other program has open; others may read it meanwhile, and not write.
 *
 * Leaving the write-ahead log is what SQLite grants to the only one alone; whoever opens it next sets it again.
 */
export function holdFile(path: string): { release(): Promise<void> } {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec('PRAGMA journal_mode = DELETE')
    database.exec('BEGIN IMMEDIATE')
  } catch (error) {
    database.close()
    throw error
  }
  return { release: async () => database.close() }
}
