import {
  ownDevices,
  ownSessions,
  passwordChangedAt,
  recoveryCodesLeft,
} from '../../store/views/own-account.ts'
import { pageAnswer, redirect } from '../page.ts'
import { pageRoute } from '../page-endpoint.ts'
import { overviewPage } from '../pages/account-overview-page.ts'
import { entryOf, ownEvents } from './account-activity.ts'
import { noticeQuery } from './account-visit.ts'

/** Events on the overview. */
const LATEST = 5

/** `GET /account` */
export const showAccount = pageRoute({
  method: 'GET',
  path: '/account',
  access: 'session',
  query: noticeQuery,
  async handle({ session, view, query: { notice } }, edge) {
    if (session === undefined) return redirect('/login')
    const { user, groups } = session
    const { db, now: clock, policy } = edge.services
    const now = clock()
    const page = overviewPage(view, {
      told: { notice },
      username: user.username,
      displayName: user.displayName,
      groups,
      hasSecondFactor: user.hasSecondFactor,
      devices: await ownDevices(db, user.id),
      recoveryCodesLeft: await recoveryCodesLeft(db, user.id, now),
      sessions: (await ownSessions(db, user.id, policy.session, now)).length,
      passwordChangedAt: await passwordChangedAt(db, user.id),
      latest: (await ownEvents(edge, user.id, { limit: LATEST })).map((event) => entryOf(view, event)),
    })
    return pageAnswer(view, page)
  },
})
