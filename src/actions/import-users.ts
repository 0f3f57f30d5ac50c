import {
  type ImportedPerson,
  type ImportRules,
  prepareRecord,
  type SourceRecord,
} from '../domain/import-record.ts'
import { hashFormat, isWeakHash } from '../domain/password/old-hash.ts'
import type { UnixSeconds } from '../domain/time.ts'
import { normalizeUsername, type UserId } from '../domain/user.ts'
import type { Services } from '../services.ts'
import type { Db } from '../store/database.ts'
import * as imported from '../store/imported.ts'
import { onlyOnce } from '../store/repeated.ts'
import { listGroupNames } from '../store/views/list-group-names.ts'
import { type Operator, record, recordAll } from './caller.ts'
import { importedRows, type Making } from './imported-rows.ts'
import { updateImported } from './update-imported.ts'

/** What becomes of one person of the source. */
export interface ImportLine {
  readonly action: 'made' | 'changed' | 'unchanged' | 'left-out'
  readonly sourceId: string
  readonly username: string
  /** What is made or changed, in words. */
  readonly details: readonly string[]
  /** What is left out and why, and what the operator should know. */
  readonly notes: readonly string[]
}

/** What became of all of them. */
export interface ImportSummary {
  readonly made: number
  readonly changed: number
  readonly unchanged: number
  readonly leftOut: number
  /** Of those that were made. */
  readonly weakPasswords: number
  readonly withoutPassword: number
  readonly groupsMade: number
}

export interface ImportInput {
  /** Names the source for ever; the same name finds again what was imported before. */
  readonly source: string
  readonly records: AsyncIterable<SourceRecord> | Iterable<SourceRecord>
  readonly rules: Omit<ImportRules, 'maximumDevices'>
  /** Whether users that were imported before follow what changed at the source. */
  readonly update: boolean
  readonly dryRun: boolean
}

export type ImportServices = Pick<Services, 'db' | 'now' | 'newId' | 'sealer' | 'policy'>

/** How many people are compared and stored at once. */
const BATCH = 250

/**
 * Takes users over from another program: all of them in one transaction, or with `dryRun` none.
 *
 * People are found again by what the source calls them, so an import can be repeated; those that are there
 * already stay as they are unless `update` says so, and nobody who was not imported is ever changed. Records are
 * read as they come, and `tell` is given a line for each.
 */
export async function importUsers(
  services: ImportServices,
  input: ImportInput,
  by: Operator,
  tell: (line: ImportLine) => Promise<void> | void,
): Promise<ImportSummary> {
  const now = services.now()
  if (input.dryRun) return runImport({ ...input, services, db: services.db, by, now, tell })
  // What was read of the records is not read again.
  const importing = onlyOnce(async (tx: Db) => {
    const summary = await runImport({ ...input, services, db: tx, by, now, tell })
    const { made, changed, leftOut } = summary
    const event = { event: 'import-done', source: input.source, made, changed, leftOut } as const
    await record(services, tx, { now, by }, event)
    return summary
  })
  return services.db.transaction().execute(importing)
}

/** An import under way: on a transaction, or on the pool when nothing is written. */
export interface ImportRun extends ImportInput {
  readonly services: ImportServices
  readonly db: Db
  readonly by: Operator
  readonly now: UnixSeconds
  readonly tell: (line: ImportLine) => Promise<void> | void
}

interface Progress {
  /** Canonical names of this import, with who has each: two people of one name are not one. */
  readonly names: Map<string, string>
  readonly sourceIds: Set<string>
  readonly groups: Set<string>
  readonly counts: Record<ImportLine['action'], number>
  weakPasswords: number
  withoutPassword: number
  groupsMade: number
}

async function runImport(run: ImportRun): Promise<ImportSummary> {
  const progress: Progress = {
    names: new Map(),
    sourceIds: new Set(),
    groups: new Set(await listGroupNames(run.db)),
    counts: { made: 0, changed: 0, unchanged: 0, 'left-out': 0 },
    weakPasswords: 0,
    withoutPassword: 0,
    groupsMade: 0,
  }
  let batch: SourceRecord[] = []
  for await (const one of run.records) {
    batch.push(one)
    if (batch.length < BATCH) continue
    await importBatch(run, progress, batch)
    batch = []
  }
  await importBatch(run, progress, batch)
  const { counts, weakPasswords, withoutPassword, groupsMade } = progress
  const { made, changed, unchanged, 'left-out': leftOut } = counts
  return { made, changed, unchanged, leftOut, weakPasswords, withoutPassword, groupsMade }
}

async function importBatch(
  run: ImportRun,
  progress: Progress,
  batch: readonly SourceRecord[],
): Promise<void> {
  const { db, source, services, now, by } = run
  const found = await lookUp(run, batch)
  const makings: Making[] = []
  for (const one of batch) {
    const decision = decide(run, progress, found, one)
    const line = await carryOut(run, progress, makings, { one, decision })
    progress.counts[line.action]++
    await run.tell(line)
  }
  const newGroups = newGroupsOf(makings, progress)
  if (run.dryRun) return
  await imported.insertRows(db, importedRows(services, makings, { source, now, newGroups }))
  await recordAll(
    services,
    db,
    { now, by },
    makings.map(({ userId, person: { isSuperuser } }) => ({
      userId,
      event: { event: 'user-imported', source, change: 'made', isSuperuser },
    })),
  )
}

interface Found {
  readonly before: ReadonlyMap<string, imported.ImportedUser>
  readonly users: ReadonlyMap<UserId, imported.UserAsIs>
  readonly takenNames: ReadonlySet<string>
}

async function lookUp({ db, source }: ImportRun, batch: readonly SourceRecord[]): Promise<Found> {
  const sourceIds = batch.map(({ sourceId }) => sourceId)
  const before = await imported.findUsers(db, source, sourceIds)
  const names = batch.map(({ username }) => normalizeUsername(username))
  return {
    before: new Map(before.map((one) => [one.sourceId, one])),
    users: await imported.findUsersAsTheyAre(
      db,
      before.map(({ userId }) => userId),
    ),
    takenNames: await imported.findTakenNames(db, names),
  }
}

type Decision =
  | { readonly kind: 'left-out'; readonly because: string }
  | { readonly kind: 'unchanged' }
  | {
      readonly kind: 'update'
      readonly person: ImportedPerson
      readonly known: imported.ImportedUser
      readonly user: imported.UserAsIs
    }
  | { readonly kind: 'make'; readonly person: ImportedPerson }

function decide(run: ImportRun, progress: Progress, found: Found, one: SourceRecord): Decision {
  const { maximumDevices } = run.services.policy
  if (progress.sourceIds.has(one.sourceId)) return leftOut('the source has this one twice')
  progress.sourceIds.add(one.sourceId)
  if (one.kind === 'unreadable') return leftOut(one.because)
  const known = found.before.get(one.sourceId)
  const user = known && found.users.get(known.userId)
  if (known !== undefined && user === undefined)
    return leftOut('was imported before, and has been deleted here since')
  if (user !== undefined && !run.update) return { kind: 'unchanged' }
  const person = prepareRecord(one, { ...run.rules, maximumDevices })
  if (person.kind === 'left-out') return person
  if (known !== undefined && user !== undefined) return { kind: 'update', person, known, user }
  const name = normalizeUsername(one.username)
  const other = progress.names.get(name)
  if (other !== undefined) return leftOut(`the name is that of "${other}" in another spelling`)
  if (found.takenNames.has(name))
    return leftOut('the name is taken here by somebody who was not imported from this source')
  progress.names.set(name, one.username)
  return { kind: 'make', person }
}

const leftOut = (because: string): Decision => ({ kind: 'left-out', because })

async function carryOut(
  run: ImportRun,
  progress: Progress,
  makings: Making[],
  { one: { sourceId, username }, decision }: { one: SourceRecord; decision: Decision },
): Promise<ImportLine> {
  const who = { sourceId, username }
  switch (decision.kind) {
    case 'left-out':
      return { action: 'left-out', ...who, details: [], notes: [decision.because] }
    case 'unchanged':
      return { action: 'unchanged', ...who, details: [], notes: [] }
    case 'update': {
      const { details, notes } = await updateImported(run, decision)
      return { action: details.length > 0 ? 'changed' : 'unchanged', ...who, details, notes }
    }
    case 'make': {
      const { person } = decision
      // A new identifier is nobody else's.
      makings.push({ userId: run.services.newId() as UserId, person })
      if (person.passwordHash === undefined) progress.withoutPassword++
      else if (isWeakHash(person.passwordHash)) progress.weakPasswords++
      return { action: 'made', ...who, details: detailsOf(person), notes: person.notes }
    }
  }
}

function detailsOf(person: ImportedPerson): string[] {
  return [
    ...(person.isSuperuser ? ['superuser'] : []),
    ...(person.isDisabled ? ['disabled'] : []),
    person.passwordHash === undefined
      ? 'no password'
      : person.isPin
        ? 'PIN as password until the first sign-in'
        : `password ${hashFormat(person.passwordHash)}`,
    ...person.devices.map(({ kind, name }) => `${kind.toUpperCase()} "${name}"`),
    ...(person.codes.length === 0 ? [] : [`one-time codes: ${person.codes.length}`]),
    ...person.groups.map((group) => `group ${group}`),
  ]
}

/** Groups that somebody is in and that are not there yet. */
function newGroupsOf(makings: readonly Making[], progress: Progress): string[] {
  const names = new Set(
    makings.flatMap(({ person }) => person.groups).filter((name) => !progress.groups.has(name)),
  )
  for (const name of names) progress.groups.add(name)
  progress.groupsMade += names.size
  return [...names]
}
