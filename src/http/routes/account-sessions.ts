import { z } from 'zod'
import { endCodeWindow } from '../../actions/end-code-window.ts'
import { endOtherSessions } from '../../actions/end-other-sessions.ts'
import { endSession } from '../../actions/end-session.ts'
import type { SessionWithUser } from '../../domain/session.ts'
import { ownCodeWindows, ownSessions } from '../../store/views/own-account.ts'
import type { Answer } from '../answer.ts'
import type { Edge } from '../endpoint.ts'
import { pageAnswer, redirect } from '../page.ts'
import { type PageRequest, pageRoute } from '../page-endpoint.ts'
import type { Told } from '../pages/account-frame.ts'
import { sessionsPage } from '../pages/account-sessions-page.ts'
import { done, idField, noticeQuery, proveFirst, viewAt } from './account-visit.ts'

const SESSIONS = '/account/sessions'

/** `GET /account/sessions` (SEC-SES-11) */
export const showSessions = pageRoute({
  method: 'GET',
  path: SESSIONS,
  access: 'session',
  query: noticeQuery,
  async handle(request, edge) {
    const { session, query } = request
    return session === undefined ? redirect('/login') : sessionsAnswer(request, edge, session, query)
  },
})

/** `POST /account/sessions/end` */
export const endOwnSession = pageRoute({
  method: 'POST',
  path: '/account/sessions/end',
  access: 'session',
  fields: z.strictObject({ id: idField }),
  async handle(request, edge) {
    const { session, caller, view } = request
    if (session === undefined) return redirect('/login')
    const { id } = request.fields
    const outcome = await endSession(edge.services, session, { id, caller })
    switch (outcome.kind) {
      case 'ended':
        return id === session.session.id
          ? redirect('/login?signed_out=', [edge.cookies.clear('session')])
          : done(SESSIONS, 'session-ended')
      case 'not-found':
        return sessionsAnswer(request, edge, session, { problem: view.t.account.sessions.gone }, 404)
      case 'stale':
        return proveFirst(SESSIONS)
    }
  },
})

/** `POST /account/sessions/end-others` */
export const endOtherOwnSessions = pageRoute({
  method: 'POST',
  path: '/account/sessions/end-others',
  access: 'session',
  async handle({ session, caller }, edge) {
    if (session === undefined) return redirect('/login')
    const outcome = await endOtherSessions(edge.services, session, caller)
    return outcome.kind === 'ended' ? done(SESSIONS, 'others-ended') : proveFirst(SESSIONS)
  },
})

/** `POST /account/code-windows/end` */
export const endOwnCodeWindow = pageRoute({
  method: 'POST',
  path: '/account/code-windows/end',
  access: 'session',
  fields: z.strictObject({ id: idField }),
  async handle(request, edge) {
    const { session, caller, view } = request
    if (session === undefined) return redirect('/login')
    const { id } = request.fields
    const outcome = await endCodeWindow(edge.services, session, { id, caller })
    switch (outcome.kind) {
      case 'ended':
        return done(SESSIONS, 'code-window-ended')
      case 'not-found':
        return sessionsAnswer(request, edge, session, { problem: view.t.account.sessions.programs.gone }, 404)
    }
  },
})

async function sessionsAnswer(
  { view }: PageRequest,
  { services }: Edge,
  current: SessionWithUser,
  told: Told,
  status = 200,
): Promise<Answer> {
  const { db, now, policy } = services
  const all = await ownSessions(db, current.user.id, policy.session, now())
  const codeWindows = await ownCodeWindows(db, current.user.id, now())
  const sessions = all.map((session) => ({ ...session, isCurrent: session.id === current.session.id }))
  const shown = viewAt(view, SESSIONS)
  return pageAnswer(shown, sessionsPage(shown, { told, sessions, codeWindows }), { status })
}
