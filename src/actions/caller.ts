import type { Actor, AuditEvent } from '../domain/audit.ts'
import type { SessionWithUser } from '../domain/session.ts'
import type { UnixSeconds } from '../domain/time.ts'
import type { Token } from '../domain/token.ts'
import type { UserId } from '../domain/user.ts'
import type { Services } from '../services.ts'
import * as auditLog from '../store/audit-log.ts'
import type { Db } from '../store/database.ts'

/** Who is at the other end, as far as the edge could tell; part of every audit event. */
export interface Caller {
  readonly address: string
  readonly userAgent: string
  readonly requestId: string
  /** The cookie of a browser that signed in fully before, if it sent one (SEC-RATE-5). */
  readonly browserToken?: Token | undefined
  /** The session that the browser holds now and that a new one would replace (SEC-SES-3). */
  readonly sessionToken?: Token | undefined
}

/** The operator at the command line. */
export interface Operator {
  readonly operator: string
}

/** A superuser who administers through HTTP; whether they may is decided by `allow`, in the change itself. */
export interface Admin {
  readonly admin: SessionWithUser
  readonly caller: Caller
}

/** Who changes the accounts of others. */
export type Administrator = Operator | Admin

/** Appends an audit event, in the transaction that does what it tells of (SEC-LOG-6). */
export async function record(
  services: Pick<Services, 'newId'>,
  tx: Db,
  context: {
    readonly now: UnixSeconds
    readonly by: Caller | Administrator
    readonly userId?: UserId | undefined
    /** Whether the caller was proven to be the user, so that the event is theirs. */
    readonly proven?: boolean
  },
  event: AuditEvent,
): Promise<void> {
  await auditLog.append(tx, recordOf(services, context, event))
}

/** As `record`, many events of one moment at once. */
export async function recordAll(
  services: Pick<Services, 'newId'>,
  tx: Db,
  { now, by }: { readonly now: UnixSeconds; readonly by: Administrator },
  events: readonly { readonly userId: UserId; readonly event: AuditEvent }[],
): Promise<void> {
  await auditLog.appendAll(
    tx,
    events.map(({ userId, event }) => recordOf(services, { now, by, userId }, event)),
  )
}

function recordOf(
  services: Pick<Services, 'newId'>,
  { now, by, userId, proven = true }: Parameters<typeof record>[2],
  event: AuditEvent,
): auditLog.AuditRecord {
  return {
    ...event,
    id: services.newId(),
    at: now,
    userId,
    actor: actorOf(by, proven ? userId : undefined),
    ...originOf(by),
  }
}

function originOf(by: Caller | Administrator) {
  if ('operator' in by) return { address: undefined, userAgent: undefined, requestId: undefined }
  const { address, userAgent, requestId } = 'admin' in by ? by.caller : by
  return { address, userAgent, requestId }
}

function actorOf(by: Caller | Administrator, userId: UserId | undefined): Actor {
  if ('operator' in by) return { kind: 'operator', name: by.operator }
  if ('admin' in by) return { kind: 'user', userId: by.admin.user.id }
  return userId === undefined ? { kind: 'anonymous' } : { kind: 'user', userId }
}
