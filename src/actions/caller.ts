import type { Actor, AuditEvent } from '../domain/audit.ts'
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

/** Appends an audit event, in the transaction that does what it tells of (SEC-LOG-6). */
export async function record(
  services: Pick<Services, 'newId'>,
  tx: Db,
  context: {
    readonly now: UnixSeconds
    readonly by: Caller | Operator
    readonly userId?: UserId | undefined
    /** Whether the caller was proven to be the user, so that the event is theirs. */
    readonly proven?: boolean
  },
  event: AuditEvent,
): Promise<void> {
  const { now, by, userId, proven = true } = context
  await auditLog.append(tx, {
    ...event,
    id: services.newId(),
    at: now,
    userId,
    actor: actorOf(by, proven ? userId : undefined),
    ...('operator' in by
      ? { address: undefined, userAgent: undefined, requestId: undefined }
      : { address: by.address, userAgent: by.userAgent, requestId: by.requestId }),
  })
}

function actorOf(by: Caller | Operator, userId: UserId | undefined): Actor {
  if ('operator' in by) return { kind: 'operator', name: by.operator }
  return userId === undefined ? { kind: 'anonymous' } : { kind: 'user', userId }
}
