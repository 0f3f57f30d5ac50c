import { z } from 'zod'
import { endOtherSessions } from '../../actions/end-other-sessions.ts'
import { endSession } from '../../actions/end-session.ts'
import { expiryOf } from '../../domain/session.ts'
import { ownSessions } from '../../store/views/own-account.ts'
import { type Answer, notFound, notSignedIn, ok, stale } from '../answer.ts'
import type { Route } from '../endpoint.ts'
import { freshError, notFoundError, ownErrors } from './account-errors.ts'
import * as schemas from './schemas.ts'

/** `GET /auth/sessions/` */
export const listSessions: Route = {
  method: 'GET',
  path: '/auth/sessions/',
  access: 'session',
  summary: 'Own sessions',
  description: 'Where the user is signed in, by handles that open nothing.',
  answers: {
    200: { description: 'Latest first.', schema: z.strictObject({ sessions: z.array(schemas.ownSession) }) },
    ...ownErrors,
  },
  async handle({ session: current }, { services }) {
    if (current === undefined) return notSignedIn()
    const rules = services.policy.session
    const sessions = await ownSessions(services.db, current.user.id, rules, services.now())
    return ok({
      sessions: sessions.map((session) => ({
        id: session.id,
        current: session.id === current.session.id,
        amr: session.amr,
        auth_time: session.authTime,
        created_at: session.createdAt,
        last_seen_at: session.lastSeenAt,
        expires_at: expiryOf(session, rules),
        address: session.address,
        user_agent: session.userAgent,
      })),
    })
  },
}

/** `DELETE /auth/sessions/{id}/` */
export const endOwnSession: Route = {
  method: 'DELETE',
  path: '/auth/sessions/:id/',
  access: 'session',
  summary: 'End a session',
  description: 'Ends one of the user’s own sessions.',
  answers: {
    200: { description: 'Ended.', schema: schemas.messageBody },
    ...ownErrors,
    ...freshError,
    ...notFoundError,
  },
  async handle({ session, id, caller }, { services, cookies }): Promise<Answer> {
    if (session === undefined) return notSignedIn()
    const outcome = await endSession(services, session, { id, caller })
    switch (outcome.kind) {
      case 'ended':
        return ok({ message: 'Ended' }, id === session.session.id ? [cookies.clear('session')] : [])
      case 'not-found':
        return notFound()
      case 'stale':
        return stale()
    }
  },
}

/** `DELETE /auth/sessions/` */
export const endOtherOwnSessions: Route = {
  method: 'DELETE',
  path: '/auth/sessions/',
  access: 'session',
  summary: 'End all other sessions',
  description: 'Ends every session of the user but this one.',
  answers: {
    200: {
      description: 'Ended.',
      schema: z.strictObject({ message: z.string(), ended: z.int().describe('How many.') }),
    },
    ...ownErrors,
    ...freshError,
  },
  async handle({ session, caller }, { services }): Promise<Answer> {
    if (session === undefined) return notSignedIn()
    const outcome = await endOtherSessions(services, session, caller)
    return outcome.kind === 'ended' ? ok({ message: 'Ended', ended: outcome.count }) : stale()
  },
}
