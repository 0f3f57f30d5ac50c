import { z } from 'zod'
import { type AdminRefusal, byAdmin } from '../../actions/allow.ts'
import { type EndCodeWindowOutcome, endCodeWindow, endCodeWindowOf } from '../../actions/end-code-window.ts'
import type { CodeWindow } from '../../domain/code-window.ts'
import { ownCodeWindows } from '../../store/views/own-account.ts'
import { type Answer, notFound, notSignedIn, ok } from '../answer.ts'
import type { Route } from '../endpoint.ts'
import { notFoundError, ownErrors } from './account-errors.ts'
import { adminErrors, conflictError, refusalAnswer, unknownError } from './admin-answers.ts'
import * as schemas from './schemas.ts'

/** A window as answers show it. */
export const shownCodeWindow = (window: CodeWindow): z.input<typeof schemas.codeWindow> => ({
  id: window.id,
  policy: window.policy,
  host: window.host,
  address: window.address,
  created_at: window.createdAt,
  expires_at: window.expiresAt,
  last_used_at: window.lastUsedAt,
})

const listBody = z.strictObject({ code_windows: z.array(schemas.codeWindow) })

/** `GET /auth/code-windows/` */
export const listCodeWindows: Route = {
  method: 'GET',
  path: '/auth/code-windows/',
  access: 'session',
  summary: 'What a password and code in one field opens now',
  description: 'To programs of the user, which send both by Basic to a protected place.',
  answers: { 200: { description: 'Oldest first.', schema: listBody }, ...ownErrors },
  async handle({ session }, { services }) {
    if (session === undefined) return notSignedIn()
    const open = await ownCodeWindows(services.db, session.user.id, services.now())
    return ok({ code_windows: open.map(shownCodeWindow) } satisfies z.input<typeof listBody>)
  },
}

/** `DELETE /auth/code-windows/{id}/` */
export const endOwnCodeWindow: Route = {
  method: 'DELETE',
  path: '/auth/code-windows/:id/',
  access: 'session',
  summary: 'End what a password and code opens',
  description: 'The program is refused from its next request on, until it brings another code.',
  answers: {
    200: { description: 'Ended.', schema: schemas.messageBody },
    ...ownErrors,
    ...notFoundError,
  },
  async handle({ session, id, caller }, { services }) {
    if (session === undefined) return notSignedIn()
    return endedAnswer(await endCodeWindow(services, session, { id, caller }))
  },
}

/** `DELETE /auth/admin/code-windows/{id}/` */
export const endAnyCodeWindow: Route = {
  method: 'DELETE',
  path: '/auth/admin/code-windows/:id/',
  access: 'admin',
  summary: 'End what a password and code of anybody opens',
  description: 'The program is refused from its next request on, until it brings another code.',
  answers: {
    200: { description: 'Ended.', schema: schemas.messageBody },
    ...adminErrors,
    ...unknownError,
    ...conflictError,
  },
  async handle({ session, id, caller }, { services }) {
    if (session === undefined) return notSignedIn()
    return endedAnswer(await byAdmin(endCodeWindowOf(services, id, { admin: session, caller })))
  },
}

function endedAnswer(outcome: EndCodeWindowOutcome | AdminRefusal): Answer {
  switch (outcome.kind) {
    case 'ended':
      return ok({ message: 'Ended' })
    case 'not-found':
      return notFound()
    case 'not-admin':
    case 'stale':
    case 'own-account':
      return refusalAnswer(outcome)
  }
}
