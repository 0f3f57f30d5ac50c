import { sql } from 'kysely'
import type { Actor, AuditEventName } from '../../domain/audit.ts'
import { StorageFault } from '../../domain/faults.ts'
import type { UnixSeconds } from '../../domain/time.ts'
import type { Db } from '../database.ts'

/** An audit event as it is shown, with the name of whom it is about. */
export interface ListedEvent {
  readonly id: string
  readonly at: UnixSeconds
  readonly event: string
  readonly outcome: 'success' | 'failure'
  readonly actor: { readonly kind: Actor['kind']; readonly id: string | undefined }
  readonly userId: string | undefined
  /** Nothing once the user is deleted. */
  readonly username: string | undefined
  readonly address: string | undefined
  readonly userAgent: string | undefined
  readonly requestId: string | undefined
  /** What the event says beside all this; see `domain/audit.ts`. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** Which events to list. */
export interface EventSelection {
  readonly userId?: string | undefined
  readonly event?: AuditEventName | undefined
  readonly address?: string | undefined
  /** The first instant that counts. */
  readonly since?: UnixSeconds | undefined
  /** The first instant that does not. */
  readonly until?: UnixSeconds | undefined
  readonly order: 'latest-first' | 'oldest-first'
  /** The last event of the part before. */
  readonly after?: Pick<ListedEvent, 'at' | 'id'> | undefined
  readonly limit: number
}

/** Events in the order of time, a part at a time. */
export async function listAuditEvents(
  db: Db,
  { userId, event, address, since, until, order, after, limit }: EventSelection,
): Promise<readonly ListedEvent[]> {
  const direction = order === 'latest-first' ? 'desc' : 'asc'
  let query = db
    .selectFrom('audit_event')
    .leftJoin('user', 'user.id', 'audit_event.user_id')
    .selectAll('audit_event')
    .select('user.username')
    .orderBy('audit_event.at', direction)
    .orderBy('audit_event.id', direction)
    .limit(limit)
  if (userId !== undefined) query = query.where('audit_event.user_id', '=', userId)
  if (event !== undefined) {
    // Of one user there are few events: beside a user the name is compared as a value that no index knows, for SQLite
    // would rather read all events of the name.
    const name = userId === undefined ? sql.ref('audit_event.event') : sql`audit_event.event || ''`
    query = query.where(sql<boolean>`${name} = ${event}`)
  }
  if (address !== undefined) query = query.where('audit_event.address', '=', address)
  if (since !== undefined) query = query.where('audit_event.at', '>=', since)
  if (until !== undefined) query = query.where('audit_event.at', '<', until)
  if (after !== undefined) {
    const beyond = order === 'latest-first' ? '<' : '>'
    // As one comparison of pairs, which an index can begin at; as "or" it would be read through from its end.
    query = query.where((eb) =>
      eb(eb.refTuple('audit_event.at', 'audit_event.id'), beyond, eb.tuple(after.at, after.id)),
    )
  }
  const rows = await query.execute()
  return rows.map((row) => ({
    id: row.id,
    at: row.at,
    event: row.event,
    outcome: row.outcome,
    actor: { kind: row.actor_kind, id: row.actor_id ?? undefined },
    userId: row.user_id ?? undefined,
    username: row.username ?? undefined,
    address: row.address ?? undefined,
    userAgent: row.user_agent ?? undefined,
    requestId: row.request_id ?? undefined,
    fields: parseFields(row.id, row.fields),
  }))
}

function parseFields(id: string, text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown> // Written by audit-log.ts alone.
  } catch (cause) {
    throw new StorageFault(`the audit event ${id} is damaged`, { cause })
  }
}
