import { z } from 'zod'
import { enterAdmin } from '../../actions/enter-admin.ts'
import { noteExport } from '../../actions/note-export.ts'
import { auditEventNames } from '../../domain/audit.ts'
import { isId } from '../../domain/id.ts'
import type { UnixSeconds } from '../../domain/time.ts'
import type { UserId } from '../../domain/user.ts'
import type { Services } from '../../services.ts'
import { type EventSelection, type ListedEvent, listAuditEvents } from '../../store/views/list-audit.ts'
import { listUsers } from '../../store/views/list-users.ts'
import { findShownUser } from '../../store/views/show-user.ts'
import type { Answer } from '../answer.ts'
import { exportFormats } from '../audit-export.ts'
import type { Edge } from '../endpoint.ts'
import { pageAnswer, redirect } from '../page.ts'
import { type PageRequest, pageRoute } from '../page-endpoint.ts'
import { type AdminAuditProps, adminAuditPage } from '../pages/admin-audit-page.ts'

/** Events on one page, and in one part of an export. */
const PART = 50
const EXPORT_PART = 500

const typed = z
  .string()
  .trim()
  .regex(/^\P{Cc}{1,128}$/u)
  .optional()
  .catch(undefined)

const auditQuery = z.object({
  user: typed,
  event: z.enum(auditEventNames).optional().catch(undefined),
  address: typed,
  from: typed,
  to: typed,
  after: z
    .string()
    .regex(/^\d{1,12}\.[0-9a-v]{26}$/)
    .optional()
    .catch(undefined),
})

type AuditQuery = z.output<typeof auditQuery>

/** `GET /admin/audit` */
export const showAudit = pageRoute({
  method: 'GET',
  path: '/admin/audit',
  access: 'admin',
  query: auditQuery,
  async handle({ view, query: asked }, { services }) {
    const { db } = services
    const { selection, wrong } = await selectionOf(db, asked, services.now())
    const { unknownUser, notADay } = view.t.admin.audit
    const found =
      selection === undefined
        ? []
        : await listAuditEvents(db, {
            ...selection,
            after: positionOf(asked.after),
            order: 'latest-first',
            limit: PART + 1,
          })
    const events = found.slice(0, PART)
    const last = events.at(-1)
    // A browser puts nothing into a field for dates but dates, and complains about others.
    const from = wrong.includes('from') ? undefined : asked.from
    const to = wrong.includes('to') ? undefined : asked.to
    const props: AdminAuditProps = {
      asked: { ...asked, from, to },
      events,
      next: found.length > PART && last !== undefined ? `${last.at}.${last.id}` : undefined,
      names: await namesOfActors(db, events),
      errors: {
        ...(wrong.includes('user') && { user: unknownUser }),
        ...(wrong.includes('from') && { from: notADay }),
        ...(wrong.includes('to') && { to: notADay }),
      },
    }
    return pageAnswer(view, adminAuditPage(view, props), { status: wrong.length === 0 ? 200 : 422 })
  },
})

/** `GET /admin/audit.jsonl` */
export const exportJsonLines = pageRoute({
  method: 'GET',
  path: '/admin/audit.jsonl',
  access: 'admin',
  query: auditQuery,
  handle: (request, edge) => exported(request, edge, 'jsonl'),
})

/** `GET /admin/audit.csv` */
export const exportCsv = pageRoute({
  method: 'GET',
  path: '/admin/audit.csv',
  access: 'admin',
  query: auditQuery,
  handle: (request, edge) => exported(request, edge, 'csv'),
})

type Selection = Pick<EventSelection, 'userId' | 'event' | 'address' | 'since' | 'until'>

/** What to look for, or which fields say nothing that can be looked for. */
async function selectionOf(
  db: Services['db'],
  { user, event, address, from, to }: AuditQuery,
  now: UnixSeconds,
): Promise<{
  readonly selection: Selection | undefined
  readonly wrong: readonly ('user' | 'from' | 'to')[]
}> {
  const userId = user === undefined ? undefined : await findUserId(db, user, now)
  const since = from === undefined ? undefined : startOfDay(from)
  const lastDay = to === undefined ? undefined : startOfDay(to)
  const wrong: ('user' | 'from' | 'to')[] = []
  if (user !== undefined && userId === undefined) wrong.push('user')
  if (from !== undefined && since === undefined) wrong.push('from')
  if (to !== undefined && lastDay === undefined) wrong.push('to')
  const until = lastDay === undefined ? undefined : lastDay + 24 * 3600
  return { selection: wrong.length > 0 ? undefined : { userId, event, address, since, until }, wrong }
}

/** By any spelling of the name, or by identifier: the log keeps that of deleted users. */
async function findUserId(db: Services['db'], typed: string, now: UnixSeconds): Promise<UserId | undefined> {
  const found = await findShownUser(db, typed, now)
  return found?.id ?? (isId(typed) ? (typed as UserId) : undefined)
}

/** The first instant of a day of UTC. */
function startOfDay(text: string): UnixSeconds | undefined {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(ms) ? undefined : ms / 1000
}

function positionOf(after: string | undefined): Pick<ListedEvent, 'at' | 'id'> | undefined {
  if (after === undefined) return undefined
  const [at, id = ''] = after.split('.')
  return { at: Number(at), id }
}

/** Names of users who did something to somebody else. */
async function namesOfActors(
  db: Services['db'],
  events: readonly ListedEvent[],
): Promise<ReadonlyMap<string, string>> {
  const ids = events.flatMap(({ actor: { kind, id }, userId }) =>
    kind === 'user' && id !== undefined && id !== userId ? [id as UserId] : [],
  )
  const { users } = await listUsers(db, { ids: [...new Set(ids)], limit: PART })
  return new Map(users.map(({ id, username }) => [id, username]))
}

/** The administrator may administer no more: the file breaks off. */
class ExportStopped extends Error {
  override readonly name = 'ExportStopped'
}

const nextRound = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Everything that was asked for, oldest first, as a file; never rendered, whoever opens it (SEC-WEB-5). */
async function exported(
  { query, session, caller, isUse }: PageRequest<unknown, AuditQuery>,
  { services, log }: Edge,
  format: keyof typeof exportFormats,
): Promise<Answer> {
  if (session === undefined) return redirect('/login')
  const now = services.now()
  const { selection } = await selectionOf(services.db, query, now)
  await noteExport(services, { admin: session, caller }, format)
  const { contentType, head, line } = exportFormats[format]
  // What happens meanwhile is not waited for: the export has an end.
  const until = Math.min(selection?.until ?? now + 1, now + 1)
  const encoder = new TextEncoder()
  let after: ListedEvent | undefined
  let isFirst = true
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          // SQLite answers at once: without this nobody else would be served before the export is done (SEC-RATE-8).
          await nextRound()
          if ((await enterAdmin(services, session, isUse)).kind !== 'open') throw new ExportStopped()
          const events =
            selection === undefined
              ? []
              : await listAuditEvents(services.db, {
                  ...selection,
                  until,
                  after,
                  order: 'oldest-first',
                  limit: EXPORT_PART,
                })
          after = events.at(-1)
          const text = (isFirst ? head : '') + events.map(line).join('')
          isFirst = false
          if (text !== '') controller.enqueue(encoder.encode(text))
          if (events.length < EXPORT_PART) controller.close()
        } catch (error) {
          // The status is sent already: a file that breaks off is all that can be told.
          log.error({ err: error, route: 'audit export' }, 'an export broke off')
          throw error
        }
      },
    },
    { highWaterMark: 0 },
  )
  return {
    status: 200,
    body,
    contentType,
    headers: { 'content-disposition': `attachment; filename="audit.${format}"` },
  }
}
