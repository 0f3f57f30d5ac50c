import type { ListedEvent } from './list-audit.ts'

/** An event as programs read it, wherever they do; `at` is its time as that place writes times. */
export function eventAsJson<Time extends string | number>(event: ListedEvent, at: Time) {
  return {
    id: event.id,
    at,
    event: event.event,
    outcome: event.outcome,
    actor: { kind: event.actor.kind, id: event.actor.id ?? null },
    user: event.userId === undefined ? null : { id: event.userId, username: event.username ?? null },
    address: event.address ?? null,
    user_agent: event.userAgent ?? null,
    request_id: event.requestId ?? null,
    details: detailsAsJson(event),
  }
}

/** The fields of an event's own, in the spelling of everything that programs read. */
export function detailsAsJson({ fields }: Pick<ListedEvent, 'fields'>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [snakeCase(name), value]))
}

const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
