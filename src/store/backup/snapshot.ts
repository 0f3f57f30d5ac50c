import type { DatabaseTarget } from '../open.ts'

/** What a column holds on either engine. */
export type Value = string | number | null

/** A table at one instant. */
export interface TableCopy {
  readonly name: string
  readonly columns: readonly string[]
  /** Rows in the order of the key, bytewise, some at a time; each with a value for every column. */
  rows(): AsyncIterable<readonly (readonly Value[])[]>
}

/** A whole database at one instant, whatever is written to it meanwhile. */
export interface Snapshot {
  /** The migrations that made its tables. */
  readonly migrations: readonly string[]
  readonly tables: readonly TableCopy[]
  close(): Promise<void>
}

/** Looks at a database as it is at this instant; holds up nobody who writes. Refuses one that is not there. */
export async function openSnapshot(target: DatabaseTarget): Promise<Snapshot> {
  // Each engine is loaded only where it is used.
  return target.kind === 'postgres'
    ? (await import('./postgres-snapshot.ts')).postgresSnapshot(target.url)
    : (await import('./sqlite-snapshot.ts')).sqliteSnapshot(target.path)
}
