import type { PublicKey, SigningKey } from '../domain/assertion.ts'
import type { Db } from './database.ts'

/** All keys, in the order of their generations. */
export async function list(db: Db): Promise<readonly SigningKey[]> {
  const rows = await db.selectFrom('signing_key').selectAll().orderBy('generation').execute()
  return rows.map((row) => ({
    id: row.id,
    generation: row.generation,
    publicKey: JSON.parse(row.public_key) as PublicKey, // What `insert` wrote.
    sealedKey: row.sealed_key,
    createdAt: row.created_at,
    usedFrom: row.used_from,
  }))
}

/** Inserts a key; `false` when its generation was made by somebody else meanwhile. */
export async function insert(db: Db, key: SigningKey): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('signing_key')
    .values({
      generation: key.generation,
      id: key.id,
      public_key: JSON.stringify(key.publicKey),
      sealed_key: key.sealedKey,
      created_at: key.createdAt,
      used_from: key.usedFrom,
    })
    .onConflict((oc) => oc.column('generation').doNothing())
    .executeTakeFirstOrThrow()
  return numInsertedOrUpdatedRows === 1n
}

/** Removes the generations before one, and tells how many. */
export async function removeBefore(db: Db, generation: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('signing_key')
    .where('generation', '<', generation)
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}

/** Replaces a sealed key by itself under another key, unless it changed meanwhile. */
export async function reseal(db: Db, id: string, from: string, to: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('signing_key')
    .set({ sealed_key: to })
    .where('id', '=', id)
    .where('sealed_key', '=', from)
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}

/** Whether there is any. */
export async function exist(db: Db): Promise<boolean> {
  return (await db.selectFrom('signing_key').select('id').limit(1).executeTakeFirst()) !== undefined
}
