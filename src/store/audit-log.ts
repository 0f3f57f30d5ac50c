import { type Actor, type AuditEvent, outcomeOf } from '../domain/audit.ts'
import type { UnixSeconds } from '../domain/time.ts'
import type { UserId } from '../domain/user.ts'
import type { Database, Db } from './database.ts'
import { prepared } from './prepared.ts'

/** An event with who, whom, when and from where. */
export type AuditRecord = AuditEvent & {
  readonly id: string
  readonly at: UnixSeconds
  readonly actor: Actor
  /** Whom it is about. */
  readonly userId: UserId | undefined
  readonly address: string | undefined
  readonly userAgent: string | undefined
  readonly requestId: string | undefined
}

const insertRow = prepared((db, row: Database['audit_event']) =>
  db.insertInto('audit_event').values({
    id: row.id,
    at: row.at,
    event: row.event,
    outcome: row.outcome,
    actor_kind: row.actor_kind,
    actor_id: row.actor_id,
    user_id: row.user_id,
    address: row.address,
    user_agent: row.user_agent,
    request_id: row.request_id,
    fields: row.fields,
  }),
)

/** Appends an event; there is no function that changes or removes one but by age. */
export async function append(db: Db, record: AuditRecord): Promise<void> {
  await insertRow(db, rowOf(record))
}

/** Appends many events in one statement; at most 1,000, since both engines bound its values. */
export async function appendAll(db: Db, records: readonly AuditRecord[]): Promise<void> {
  if (records.length > 0) await db.insertInto('audit_event').values(records.map(rowOf)).execute()
}

function rowOf(record: AuditRecord): Database['audit_event'] {
  const { id, at, actor, userId, address, userAgent, requestId, event, ...fields } = record
  return {
    id,
    at,
    event,
    outcome: outcomeOf(event),
    actor_kind: actor.kind,
    actor_id: actorId(actor),
    user_id: userId ?? null,
    address: address ?? null,
    user_agent: userAgent ?? null,
    request_id: requestId ?? null,
    fields: JSON.stringify(fields),
  }
}

function actorId(actor: Actor): string | null {
  switch (actor.kind) {
    case 'user':
      return actor.userId
    case 'operator':
      return actor.name
    case 'anonymous':
    case 'system':
      return null
  }
}

/** Whether an event of this name was written about the user after `since`. */
export async function wasRecorded(
  db: Db,
  userId: UserId,
  event: AuditEvent['event'],
  since: UnixSeconds,
): Promise<boolean> {
  const row = await db
    .selectFrom('audit_event')
    .select('id')
    .where('user_id', '=', userId)
    .where('at', '>', since)
    .where('event', '=', event)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** When the oldest event was; `undefined` when there is none. */
export async function oldestAt(db: Db): Promise<UnixSeconds | undefined> {
  const row = await db
    .selectFrom('audit_event')
    .select('at')
    .orderBy('at')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst()
  return row?.at
}

/** Removes some events older than the retention. */
export async function purge(db: Db, before: UnixSeconds, limit: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('audit_event')
    // Said twice: PostgreSQL then looks at the months that have such events, and at no other.
    .where('at', '<', before)
    .where((eb) =>
      eb(
        eb.refTuple('at', 'id'),
        'in',
        eb
          .selectFrom('audit_event')
          .select(['at', 'id'])
          .where('at', '<', before)
          .orderBy('at')
          .orderBy('id')
          .limit(limit)
          .$asTuple('at', 'id'),
      ),
    )
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}
