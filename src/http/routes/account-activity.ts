import { z } from 'zod'
import type { UserId } from '../../domain/user.ts'
import { type ListedEvent, listAuditEvents } from '../../store/views/list-audit.ts'
import type { Edge } from '../endpoint.ts'
import { pageAnswer, redirect, type View } from '../page.ts'
import { pageRoute } from '../page-endpoint.ts'
import { type ActivityEntry, activityPage } from '../pages/account-activity-page.ts'
import { programText } from '../pages/account-frame.ts'
import { auditSentence } from '../pages/audit-sentence.ts'

/** Events on one page. */
const PAGE_LENGTH = 25

/** The place of an event in the order of time, as an address has it. */
const place = z
  .string()
  .regex(/^\d{1,12}\.[0-9a-v]{26}$/)
  .transform((text) => {
    const [at = '', id = ''] = text.split('.')
    return { at: Number(at), id }
  })

/** `GET /account/activity`: what the audit log says of oneself, and of nobody else. */
export const showActivity = pageRoute({
  method: 'GET',
  path: '/account/activity',
  access: 'session',
  query: z.object({ after: place.optional().catch(undefined) }),
  async handle({ session, view, query: { after } }, edge) {
    if (session === undefined) return redirect('/login')
    const found = await ownEvents(edge, session.user.id, { after, limit: PAGE_LENGTH + 1 })
    const events = found.slice(0, PAGE_LENGTH)
    const last = events.at(-1)
    const page = activityPage(view, {
      entries: events.map((event) => entryOf(view, event)),
      isFirst: after === undefined,
      next: found.length > PAGE_LENGTH && last !== undefined ? `${last.at}.${last.id}` : undefined,
    })
    return pageAnswer(view, page)
  },
})

/** The events of one user, the latest first. */
export function ownEvents(
  { services }: Edge,
  userId: UserId,
  { after, limit }: { readonly after?: Pick<ListedEvent, 'at' | 'id'> | undefined; readonly limit: number },
): Promise<readonly ListedEvent[]> {
  return listAuditEvents(services.db, { userId, order: 'latest-first', after, limit })
}

/** An event of one's own account in words. Where an administrator sat is nobody else's business. */
export function entryOf(view: View, event: ListedEvent): ActivityEntry {
  const { t } = view
  const { actor, userId, address, userAgent } = event
  const isOther = actor.kind === 'user' && actor.id !== userId
  return {
    at: event.at,
    sentence: auditSentence(t, event),
    by: isOther ? t.audit.by.admin : actor.kind === 'operator' ? t.audit.by.operator : undefined,
    isRefusal: event.outcome === 'failure',
    from:
      isOther || address === undefined ? undefined : { address, program: programText(t, userAgent ?? '') },
  }
}
