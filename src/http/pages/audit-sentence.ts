import { type AuditEventName, auditEventNames } from '../../domain/audit.ts'
import type { ListedEvent } from '../../store/views/list-audit.ts'
import type { Texts } from '../texts/index.ts'

/** What happened, in words. */
export function auditSentence(
  { audit: { names, sentences } }: Texts,
  { event, fields }: Pick<ListedEvent, 'event' | 'fields'>,
): string {
  // Written by another version of the program, if it is none of ours.
  if (!isKnown(event)) return event
  // What is stored under a name are the fields of that name; audit-log.ts alone writes them.
  const sentence = sentences[event] as ((fields: ListedEvent['fields']) => string) | undefined
  return sentence?.(fields) ?? names[event]
}

const isKnown = (event: string): event is AuditEventName =>
  (auditEventNames as readonly string[]).includes(event)
