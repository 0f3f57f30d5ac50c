import { lookUpWaits } from '../../actions/look-up-waits.ts'
import { isAlive } from '../../domain/session.ts'
import { listAuditEvents } from '../../store/views/list-audit.ts'
import { listGroupNames } from '../../store/views/list-group-names.ts'
import { findShownUser } from '../../store/views/show-user.ts'
import { pageAnswer } from '../page.ts'
import { pageRoute } from '../page-endpoint.ts'
import { adminUserPage } from '../pages/admin-user-page.ts'
import { adminOf, notFound, noticeQuery, userIdOf } from './admin-answers.ts'
import { resetOf } from './admin-reset.ts'

/** Latest events that are shown with a user. */
const ACTIVITY = 10

/** `GET /admin/users/:id` */
export const showUser = pageRoute({
  method: 'GET',
  path: '/admin/users/:id',
  access: 'admin',
  query: noticeQuery,
  async handle(request, { services }) {
    const { view, query } = request
    const id = userIdOf(request)
    const { db } = services
    const now = services.now()
    const found = id && (await findShownUser(db, { id }, now))
    if (id === undefined || found === undefined) return notFound(request)
    const { admin } = adminOf(request)
    const groups = await listGroupNames(db)
    const page = adminUserPage(view, {
      user: found,
      sessions: found.sessions.filter((session) => isAlive(session, services.policy.session, now)),
      waits: await lookUpWaits(services, found),
      activity: await listAuditEvents(db, { userId: id, order: 'latest-first', limit: ACTIVITY }),
      otherGroups: groups.filter((name) => !found.groups.includes(name)),
      waitingReset: (await resetOf(db, found, admin.user.id)).waiting,
      isOwn: id === admin.user.id,
      said: query.notice,
    })
    return pageAnswer(view, page)
  },
})
