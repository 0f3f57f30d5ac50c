import type { Command } from 'commander'
import { type AuditEventName, auditEventNames } from '../../../domain/audit.ts'
import { isId } from '../../../domain/id.ts'
import type { UnixSeconds } from '../../../domain/time.ts'
import type { Db } from '../../../store/database.ts'
import * as users from '../../../store/users.ts'
import { eventAsJson } from '../../../store/views/event-as-json.ts'
import { type ListedEvent, listAuditEvents } from '../../../store/views/list-audit.ts'
import { oneOf, wholeNumber } from '../../arguments.ts'
import { Refusal } from '../../exit-code.ts'
import { isoInstant, parseInstant, showInstant } from '../../instant.ts'
import { examples, type Handler } from '../../invocation.ts'
import { withServices } from '../../open-services.ts'
import { noSuchUser } from '../../sentences.ts'
import { done, printJson, printTable } from '../../terminal.ts'

interface Options {
  readonly json?: true
  readonly user?: string
  readonly event?: AuditEventName
  readonly address?: string
  readonly since?: UnixSeconds
  readonly until?: UnixSeconds
  readonly limit: number
}

/** `watchword audit list` */
export function declareAuditList(command: Command): Handler {
  command
    .option('--user <user>', 'only about this user: a username, or the identifier of a deleted one')
    .option('--event <name>', 'only events of this name', oneOf('--event', auditEventNames))
    .option('--address <address>', 'only from this address')
    .option('--since <time>', 'from this time on: 24h, 7d, 2026-07-29, 2026-07-29T12:00:00Z', (text) =>
      parseInstant(text),
    )
    .option('--until <time>', 'before this time', (text) => parseInstant(text))
    .option('--limit <number>', 'how many at most', wholeNumber('--limit', 1, 10_000), 50)
    .option('--json', 'for a program: {"events": […]}')
  command.addHelpText('after', `\nEvents: ${auditEventNames.join(', ')}`)
  examples(
    command,
    'watchword audit list --user bob --since 24h',
    'watchword audit list --event throttled --json',
  )
  return ({ configFile }) =>
    withServices(configFile, async ({ db }) => {
      const { user, json, ...selection } = command.opts<Options>()
      const userId = user === undefined ? undefined : await identify(db, user)
      const events = await listAuditEvents(db, { ...selection, userId, order: 'latest-first' })
      if (json) printJson({ events: events.map((event) => eventAsJson(event, isoInstant(event.at))) })
      else printTable(['TIME', 'EVENT', 'USER', 'BY', 'ADDRESS', 'DETAILS'], events.map(rowOf))
      return done()
    })
}

/** The identifier behind a username; what looks like an identifier may be that of a user who is gone. */
async function identify(db: Db, user: string): Promise<string> {
  const found = await users.findByUsername(db, user)
  if (found !== undefined) return found.id
  if (isId(user)) return user
  throw new Refusal(`${noSuchUser(user)} Of a deleted user give the identifier.`)
}

const rowOf = (event: ListedEvent): string[] => [
  showInstant(event.at),
  event.event,
  event.username ?? event.userId ?? '',
  actorOf(event),
  event.address ?? '',
  Object.entries(event.fields)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' '),
]

function actorOf({ actor, userId }: ListedEvent): string {
  switch (actor.kind) {
    case 'user':
      return actor.id === userId ? 'user' : `user ${actor.id}`
    case 'operator':
      return `operator ${actor.id}`
    case 'anonymous':
    case 'system':
      return actor.kind
  }
}
