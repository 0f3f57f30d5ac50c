import type { Command } from 'commander'
import type { UnixSeconds } from '../../../domain/time.ts'
import { eventAsJson } from '../../../store/views/event-as-json.ts'
import { type ListedEvent, listAuditEvents } from '../../../store/views/list-audit.ts'
import { isoInstant, parseInstant } from '../../instant.ts'
import { examples, type Handler } from '../../invocation.ts'
import { withServices } from '../../open-services.ts'
import { done, printJsonLines } from '../../terminal.ts'

const BATCH = 500

/** `watchword audit export` */
export function declareAuditExport(command: Command): Handler {
  command
    .option('--since <time>', 'from this time on: 24h, 7d, 2026-07-29, 2026-07-29T12:00:00Z', (text) =>
      parseInstant(text),
    )
    .option('--until <time>', 'before this time', (text) => parseInstant(text))
  examples(
    command,
    'watchword audit export > audit.jsonl',
    'watchword audit export --since 2026-07-01 --until 2026-08-01 | gzip > july.jsonl.gz',
  )
  return ({ configFile }) =>
    withServices(configFile, async ({ db, now }) => {
      const { since, until = now() + 1 } = command.opts<{ since?: UnixSeconds; until?: UnixSeconds }>()
      for (let after: ListedEvent | undefined; ; ) {
        const events = await listAuditEvents(db, { since, until, after, order: 'oldest-first', limit: BATCH })
        await printJsonLines(events.map((event) => eventAsJson(event, isoInstant(event.at))))
        after = events.at(-1)
        if (after === undefined) return done()
      }
    })
}
