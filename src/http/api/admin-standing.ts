import { z } from 'zod'
import { type AdminRefusal, byAdmin } from '../../actions/allow.ts'
import type { Admin } from '../../actions/caller.ts'
import { disableUser } from '../../actions/disable-user.ts'
import { enableUser } from '../../actions/enable-user.ts'
import { endSessionsOf } from '../../actions/end-sessions-of.ts'
import { resetAsAdmin } from '../../actions/reset-as-admin.ts'
import { unlockUser } from '../../actions/unlock-user.ts'
import { withdrawReset } from '../../actions/withdraw-reset.ts'
import type { UserId } from '../../domain/user.ts'
import type { Services } from '../../services.ts'
import { type Answer, busy, failure, notFound, notSignedIn, ok } from '../answer.ts'
import type { Route } from '../endpoint.ts'
import { adminErrors, alreadySo, conflictError, refusalAnswer, unknownError } from './admin-answers.ts'
import * as schemas from './schemas.ts'

type Outcome = Awaited<
  ReturnType<typeof disableUser | typeof enableUser | typeof unlockUser | typeof endSessionsOf>
>

/** A change to one user that takes no fields. */
function change(
  { method, path, summary, description }: Pick<Route, 'method' | 'path' | 'summary' | 'description'>,
  act: (services: Services, id: string, by: Admin) => Promise<Outcome>,
): Route {
  const changed = z.strictObject({ message: z.string(), ended: z.int().optional().describe('Sessions.') })
  return {
    ...{ method, path, summary, description, access: 'admin' },
    answers: {
      200: { description: 'Done.', schema: changed },
      ...adminErrors,
      ...unknownError,
      ...conflictError,
    },
    async handle({ id, session, caller }, { services }): Promise<Answer> {
      if (session === undefined) return notSignedIn()
      return changedAnswer(await byAdmin(act(services, id, { admin: session, caller })))
    },
  }
}

function changedAnswer(outcome: Outcome | AdminRefusal): Answer {
  switch (outcome.kind) {
    case 'disabled':
      return ok({ message: 'Disabled' })
    case 'enabled':
      return ok({ message: 'Enabled' })
    case 'unlocked':
      return ok({ message: 'Unlocked' })
    case 'ended':
      return ok({ message: 'Ended', ended: outcome.count })
    case 'already-so':
      return alreadySo('The user is so already.')
    case 'no-such-user':
    case 'not-found':
      return notFound()
    case 'not-admin':
    case 'stale':
    case 'own-account':
      return refusalAnswer(outcome)
  }
}

/** An identifier of the path; whether it is a user's, the store knows. */
const userOf = (id: string) => ({ id: id as UserId })

/** `POST /auth/admin/users/{id}/disable/` */
export const disableAnyUser = change(
  {
    method: 'POST',
    path: '/auth/admin/users/:id/disable/',
    summary: 'Disable a user',
    description: 'Ends all that the user holds, and lets them in no more.',
  },
  (services, id, by) => disableUser(services, userOf(id), by),
)

/** `POST /auth/admin/users/{id}/enable/` */
export const enableAnyUser = change(
  {
    method: 'POST',
    path: '/auth/admin/users/:id/enable/',
    summary: 'Enable a user',
    description: 'Lets a disabled user sign in again, as before.',
  },
  (services, id, by) => enableUser(services, userOf(id), by),
)

/** `POST /auth/admin/users/{id}/unlock/` */
export const unlockAnyUser = change(
  {
    method: 'POST',
    path: '/auth/admin/users/:id/unlock/',
    summary: 'Unlock a user',
    description: 'Forgets failed attempts; devices that were disabled stay so.',
  },
  (services, id, by) => unlockUser(services, userOf(id), by),
)

/** `DELETE /auth/admin/users/{id}/sessions/` */
export const endAllSessions = change(
  {
    method: 'DELETE',
    path: '/auth/admin/users/:id/sessions/',
    summary: 'End all sessions of a user',
    description: 'And the logins under way.',
  },
  (services, id, by) => endSessionsOf(services, { userId: userOf(id).id }, by),
)

/** `DELETE /auth/admin/sessions/{id}/` */
export const endAnySession = change(
  {
    method: 'DELETE',
    path: '/auth/admin/sessions/:id/',
    summary: 'End a session',
    description: 'Of whomever it is.',
  },
  (services, id, by) => endSessionsOf(services, { sessionId: id }, by),
)

const resetBody = z.union([
  z.strictObject({
    recovery_code: z
      .string()
      .describe('To tell the user over a way that proves who they are; shown this once.'),
    expires_in: z.int().describe('Seconds.'),
  }),
  z.strictObject({ message: z.string(), requested_until: z.int().describe('Seconds since the Unix epoch.') }),
])

/** `POST /auth/admin/users/{id}/second-factor-reset/` */
export const resetAnySecondFactor: Route = {
  method: 'POST',
  path: '/auth/admin/users/:id/second-factor-reset/',
  access: 'admin',
  summary: 'Reset a lost second factor',
  description:
    'Removes devices and recovery codes and gives one code for a day. For a superuser it takes two administrators: the first call asks, and one by somebody else carries it out.',
  answers: {
    200: { description: 'Reset, or asked for.', schema: resetBody },
    ...adminErrors,
    ...unknownError,
    ...conflictError,
  },
  async handle({ id, session, caller }, { services }): Promise<Answer> {
    if (session === undefined) return notSignedIn()
    const outcome = await resetAsAdmin(services, userOf(id).id, { admin: session, caller })
    switch (outcome.kind) {
      case 'reset':
        return ok({ recovery_code: outcome.recoveryCode, expires_in: outcome.lifetime })
      case 'requested':
        return ok({
          message: 'Asked for. Another administrator has to carry it out.',
          requested_until: outcome.expiresAt,
        })
      case 'needs-another-admin':
        return failure(409, 'another_admin_required', 'You asked for this. It takes another administrator.')
      case 'superseded':
        return failure(409, 'superseded', 'This was changed at the same moment. Look, and try again.')
      case 'no-such-user':
        return notFound()
      case 'busy':
        return busy()
      case 'not-admin':
      case 'stale':
      case 'own-account':
        return refusalAnswer(outcome)
    }
  },
}

/** `DELETE /auth/admin/users/{id}/second-factor-reset/` */
export const withdrawAnyReset: Route = {
  method: 'DELETE',
  path: '/auth/admin/users/:id/second-factor-reset/',
  access: 'admin',
  summary: 'Withdraw a reset that was asked for',
  description: 'Any administrator may.',
  answers: {
    200: { description: 'Withdrawn.', schema: schemas.messageBody },
    ...adminErrors,
    ...unknownError,
  },
  async handle({ id, session, caller }, { services }): Promise<Answer> {
    if (session === undefined) return notSignedIn()
    const outcome = await withdrawReset(services, userOf(id).id, { admin: session, caller })
    switch (outcome.kind) {
      case 'withdrawn':
        return ok({ message: 'Withdrawn' })
      case 'none':
        return notFound()
      case 'not-admin':
      case 'stale':
      case 'own-account':
        return refusalAnswer(outcome)
    }
  },
}
