import { detailsAsJson, eventAsJson } from '../store/views/event-as-json.ts'
import type { ListedEvent } from '../store/views/list-audit.ts'

/** A form in which the audit log is saved. */
export interface ExportFormat {
  readonly contentType: string
  readonly head: string
  readonly line: (event: ListedEvent) => string
}

/** One object a line, as `watchword audit export` prints them. */
const jsonLines: ExportFormat = {
  contentType: 'application/x-ndjson; charset=utf-8',
  head: '',
  line: (event) => `${JSON.stringify(eventAsJson(event, isoTime(event.at)))}\n`,
}

const columns = [
  'id',
  'at',
  'event',
  'outcome',
  'actor_kind',
  'actor_id',
  'user_id',
  'username',
  'address',
  'user_agent',
  'request_id',
  'details',
] as const

/** Comma separated values (RFC 4180). */
const csv: ExportFormat = {
  contentType: 'text/csv; charset=utf-8; header=present',
  head: csvLine(columns),
  line: (event) =>
    csvLine([
      event.id,
      isoTime(event.at),
      event.event,
      event.outcome,
      event.actor.kind,
      event.actor.id ?? '',
      event.userId ?? '',
      event.username ?? '',
      event.address ?? '',
      event.userAgent ?? '',
      event.requestId ?? '',
      JSON.stringify(detailsAsJson(event)),
    ]),
}

export const exportFormats = { jsonl: jsonLines, csv } as const

const isoTime = (at: number): string => new Date(at * 1000).toISOString().replace('.000Z', 'Z')

/** Every cell in quotes, those in it doubled. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => `"${harmless(cell).replaceAll('"', '""')}"`).join(',')}\r\n`
}

/** A cell that a spreadsheet would take for a formula gets an apostrophe in front, which makes it text (SEC-INP-5). */
function harmless(cell: string): string {
  return /^[=+\-@\t\r\n＝＋－＠]/.test(cell) ? `'${cell}` : cell
}
