import type { Db } from '../database.ts'

/** The names of all groups, in order; without counting who is in them. */
export async function listGroupNames(db: Db): Promise<readonly string[]> {
  const rows = await db.selectFrom('user_group').select('name').orderBy('name').execute()
  return rows.map(({ name }) => name)
}
