import { createHash } from 'node:crypto'
import type { Snapshot, Value } from './snapshot.ts'

/** How many rows a table has, and a hash over all of them in their order. */
export interface TableSum {
  readonly rows: number
  readonly sha256: string
}

/** Sums up rows as they come; `columns` are sorted, for engines and programs may list them otherwise. */
export function tableSummer(columns: readonly string[]): {
  add(rows: readonly (readonly Value[])[]): void
  sum(): TableSum
} {
  const order = columns
    .map((_, index) => index)
    .toSorted((a, b) => ((columns[a] ?? '') < (columns[b] ?? '') ? -1 : 1))
  const hash = createHash('sha256')
  let rows = 0
  return {
    add(batch) {
      for (const row of batch) hash.update(`${JSON.stringify(order.map((index) => row[index] ?? null))}\n`)
      rows += batch.length
    },
    sum: () => ({ rows, sha256: hash.digest('hex') }),
  }
}

/** Sums up every table of a database as it is at one instant. */
export async function sumsOf(snapshot: Snapshot): Promise<ReadonlyMap<string, TableSum>> {
  const sums = new Map<string, TableSum>()
  for (const { name, columns, rows } of snapshot.tables) {
    const summer = tableSummer(columns)
    for await (const batch of rows()) summer.add(batch)
    sums.set(name, summer.sum())
  }
  return sums
}
