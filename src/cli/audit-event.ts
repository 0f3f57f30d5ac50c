import type { ListedEvent } from '../store/views/list-audit.ts'
import { isoInstant } from './instant.ts'

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
