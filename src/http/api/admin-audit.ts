import { z } from 'zod'
import { eventAsJson } from '../../store/views/event-as-json.ts'
import { listAuditEvents } from '../../store/views/list-audit.ts'
import { overview } from '../../store/views/overview.ts'
import { ok } from '../answer.ts'
import type { Route } from '../endpoint.ts'
import { adminErrors } from './admin-answers.ts'
import * as admin from './admin-schemas.ts'

type AuditQuery = typeof admin.auditQuery

/** `GET /auth/admin/audit/` */
export const listAllEvents: Route<z.ZodType, AuditQuery> = {
  method: 'GET',
  path: '/auth/admin/audit/',
  access: 'admin',
  summary: 'Audit log',
  description: 'What happened, the latest first, a part at a time.',
  query: admin.auditQuery,
  answers: {
    200: {
      description: '`next` is what to give as `after`, or null at the end.',
      schema: z.strictObject({ events: z.array(admin.listedEvent), next: z.string().nullable() }),
    },
    ...adminErrors,
  },
  async handle({ query }, { services }) {
    const { user: userId, after, limit, ...rest } = query
    const selection = { ...rest, userId, after: after === undefined ? undefined : cursor(after) }
    const events = await listAuditEvents(services.db, {
      ...selection,
      order: 'latest-first',
      limit: limit + 1,
    })
    const shown = events.slice(0, limit)
    const last = shown.at(-1)
    const next = events.length > limit && last !== undefined ? `${last.at}.${last.id}` : null
    return ok({ events: shown.map((event) => eventAsJson(event, event.at)), next })
  },
}

/** Reads back what `next` gave. */
function cursor(text: string): { at: number; id: string } {
  const [at, id = ''] = text.split('.')
  return { at: Number(at), id }
}

/** `GET /auth/admin/overview/` */
export const showOverview: Route = {
  method: 'GET',
  path: '/auth/admin/overview/',
  access: 'admin',
  summary: 'Overview',
  description:
    'How things stand, and what happened on each of the last thirty days. Of very many users and sessions the counts are estimates, as `estimated` says.',
  answers: { 200: { description: 'Counts.', schema: admin.overviewBody }, ...adminErrors },
  async handle(_, { services }) {
    const { users, sessions, estimated, days } = await overview(services.db, {
      now: services.now(),
      rules: services.policy.session,
    })
    return ok({
      users: { total: users.total, disabled: users.disabled, with_second_factor: users.withSecondFactor },
      sessions,
      estimated,
      days: days.map((day) => ({
        start: day.start,
        signed_in: day.signedIn,
        passwords_refused: day.passwordsRefused,
        codes_refused: day.codesRefused,
        throttled: day.throttled,
        enrolments: day.enrolments,
      })),
    })
  },
}
