import type { AuditEventName } from '../domain/audit.ts'
import type { ListedEvent } from '../store/views/list-audit.ts'
import { isoInstant } from './instant.ts'

/** Complete, or it does not compile. */
const names: Readonly<Record<AuditEventName, true>> = {
  'password-accepted': true,
  'password-refused': true,
  'code-refused': true,
  throttled: true,
  'signed-in': true,
  'recovery-code-used': true,
  'signed-out': true,
  'session-ended': true,
  'other-sessions-ended': true,
  'enrolment-begun': true,
  'device-confirmed': true,
  'device-added': true,
  'device-renamed': true,
  'device-removed': true,
  'devices-disabled': true,
  'recovery-codes-made': true,
  'password-changed': true,
  'user-created': true,
  'user-disabled': true,
  'user-enabled': true,
  'user-unlocked': true,
  'user-deleted': true,
  'second-factor-reset': true,
  'group-created': true,
  'group-deleted': true,
  'group-member-added': true,
  'group-member-removed': true,
  'keys-rotated': true,
  'keys-pruned': true,
}

/** The events that can be asked for. */
export const auditEventNames = Object.keys(names) as readonly AuditEventName[] // The keys of the table above.

/** An event as programs read it; the fields of its own stand in `details`. */
export function eventAsJson(event: ListedEvent) {
  return {
    id: event.id,
    at: isoInstant(event.at),
    event: event.event,
    outcome: event.outcome,
    actor: { kind: event.actor.kind, id: event.actor.id ?? null },
    user: event.userId === undefined ? null : { id: event.userId, username: event.username ?? null },
    address: event.address ?? null,
    user_agent: event.userAgent ?? null,
    request_id: event.requestId ?? null,
    details: Object.fromEntries(
      Object.entries(event.fields).map(([name, value]) => [snakeCase(name), value]),
    ),
  }
}

const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
