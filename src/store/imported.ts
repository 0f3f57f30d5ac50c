import type { UnixSeconds } from '../domain/time.ts'
import type { UserId } from '../domain/user.ts'
import type { Database, Db } from './database.ts'

/** What was made of a user of a source, and a mark of the password there. */
export interface ImportedUser {
  readonly sourceId: string
  readonly userId: UserId
  readonly passwordMark: string
}

/** Which of these users of a source were imported before. */
export async function findUsers(
  db: Db,
  source: string,
  sourceIds: readonly string[],
): Promise<ImportedUser[]> {
  const rows = await findRows(db, source, 'user', sourceIds)
  return rows.map((row) => ({
    sourceId: row.source_id,
    userId: row.target_id as UserId, // A row of this kind holds the identifier of a user.
    passwordMark: row.password_mark,
  }))
}

/** Which of these devices of a source were imported before, each with what was made of it. */
export async function findDevices(
  db: Db,
  source: string,
  sourceIds: readonly string[],
): Promise<Map<string, string>> {
  const rows = await findRows(db, source, 'device', sourceIds)
  return new Map(rows.map((row) => [row.source_id, row.target_id]))
}

async function findRows(
  db: Db,
  source: string,
  kind: 'user' | 'device',
  sourceIds: readonly string[],
): Promise<Database['imported'][]> {
  if (sourceIds.length === 0) return []
  return db
    .selectFrom('imported')
    .selectAll()
    .where('source', '=', source)
    .where('kind', '=', kind)
    .where('source_id', 'in', sourceIds)
    .execute()
}

/** Keeps the mark of a password that was taken over anew. */
export async function setPasswordMark(db: Db, source: string, sourceId: string, mark: string): Promise<void> {
  await db
    .updateTable('imported')
    .set({ password_mark: mark })
    .where('source', '=', source)
    .where('kind', '=', 'user')
    .where('source_id', '=', sourceId)
    .execute()
}

/** Moves what a device has used forward to what it has used at the source, never back. */
export async function raiseUsedMarks(
  db: Db,
  deviceId: string,
  { lastUsedStep, counter }: { lastUsedStep: number; counter: number },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('otp_device')
    .set((eb) => ({
      last_used_step: eb
        .case()
        .when('last_used_step', '<', lastUsedStep)
        .then(eb.val(lastUsedStep))
        .else(eb.ref('last_used_step'))
        .end(),
      counter: eb.case().when('counter', '<', counter).then(eb.val(counter)).else(eb.ref('counter')).end(),
    }))
    .where('id', '=', deviceId)
    .where((eb) => eb.or([eb('last_used_step', '<', lastUsedStep), eb('counter', '<', counter)]))
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}

/** Whether `raiseUsedMarks` would change anything. */
export async function isBehind(
  db: Db,
  deviceId: string,
  { lastUsedStep, counter }: { lastUsedStep: number; counter: number },
): Promise<boolean> {
  const row = await db
    .selectFrom('otp_device')
    .select('id')
    .where('id', '=', deviceId)
    .where((eb) => eb.or([eb('last_used_step', '<', lastUsedStep), eb('counter', '<', counter)]))
    .executeTakeFirst()
  return row !== undefined
}

/** Rows of many users at once; each table's own file has everything else about it. */
export interface ImportedRows {
  readonly user: Database['user'][]
  readonly password_hash: Database['password_hash'][]
  readonly otp_device: Database['otp_device'][]
  readonly recovery_code: Database['recovery_code'][]
  readonly user_group: Database['user_group'][]
  readonly group_member: Database['group_member'][]
  readonly imported: Database['imported'][]
}

/** No rows yet. */
export const noRows = (): ImportedRows => ({
  user: [],
  password_hash: [],
  otp_device: [],
  recovery_code: [],
  user_group: [],
  group_member: [],
  imported: [],
})

/** Stores the rows, each after those that it points to; fails when a name was taken meanwhile. */
export async function insertRows(db: Db, rows: ImportedRows): Promise<void> {
  await inParts(rows.user_group, (part) => db.insertInto('user_group').values(part).execute())
  await inParts(rows.user, (part) => db.insertInto('user').values(part).execute())
  await inParts(rows.password_hash, (part) => db.insertInto('password_hash').values(part).execute())
  await inParts(rows.otp_device, (part) => db.insertInto('otp_device').values(part).execute())
  await inParts(rows.recovery_code, (part) => db.insertInto('recovery_code').values(part).execute())
  await inParts(rows.group_member, (part) => db.insertInto('group_member').values(part).execute())
  await inParts(rows.imported, (part) => db.insertInto('imported').values(part).execute())
}

/** Both engines bound the values of one statement, SQLite at 32,766. */
async function inParts<Row>(rows: readonly Row[], insert: (part: readonly Row[]) => Promise<unknown>) {
  const size = 500
  for (let from = 0; from < rows.length; from += size) await insert(rows.slice(from, from + size))
}

/** What an import compares with the users that it made before. */
export interface UserAsIs {
  readonly id: UserId
  readonly username: string
  readonly displayName: string
  readonly disabledAt: UnixSeconds | undefined
}

/** Those of these users that are still there. */
export async function findUsersAsTheyAre(db: Db, ids: readonly UserId[]): Promise<Map<UserId, UserAsIs>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('user')
    .select(['id', 'username', 'display_name', 'disabled_at'])
    .where('id', 'in', ids)
    .execute()
  return new Map(
    rows.map(({ id, username, display_name, disabled_at }) => [
      id,
      { id, username, displayName: display_name, disabledAt: disabled_at ?? undefined },
    ]),
  )
}

/** Which of these canonical names are taken. */
export async function findTakenNames(db: Db, canonicalNames: readonly string[]): Promise<Set<string>> {
  if (canonicalNames.length === 0) return new Set()
  const rows = await db
    .selectFrom('user')
    .select('canonical_username')
    .where('canonical_username', 'in', canonicalNames)
    .execute()
  return new Set(rows.map((row) => row.canonical_username))
}
