import { type Actor, type AuditEvent, outcomeOf } from '../domain/audit.ts'
import type { UnixSeconds } from '../domain/time.ts'
import type { UserId } from '../domain/user.ts'
import type { Db } from './database.ts'

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

/** Appends an event; there is no function that changes or removes one but by age. */
export async function append(db: Db, record: AuditRecord): Promise<void> {
  const { id, at, actor, userId, address, userAgent, requestId, event, ...fields } = record
  await db
    .insertInto('audit_event')
    .values({
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
    })
    .execute()
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

/** Removes some events older than the retention. */
export async function purge(db: Db, before: UnixSeconds, limit: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('audit_event')
    .where('id', 'in', (eb) =>
      eb.selectFrom('audit_event').select('id').where('at', '<', before).limit(limit),
    )
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}
