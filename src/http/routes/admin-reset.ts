import { byAdmin } from '../../actions/allow.ts'
import { resetAsAdmin } from '../../actions/reset-as-admin.ts'
import { withdrawReset } from '../../actions/withdraw-reset.ts'
import { decideReset, type ResetDecision } from '../../domain/administration.ts'
import type { UserId } from '../../domain/user.ts'
import type { Services } from '../../services.ts'
import { listUsers } from '../../store/views/list-users.ts'
import { findShownUser, type ShownUser } from '../../store/views/show-user.ts'
import { pageAnswer } from '../page.ts'
import { pageRoute } from '../page-endpoint.ts'
import { confirmResetPage, resetDonePage } from '../pages/admin-reset-page.ts'
import type { WaitingReset } from '../pages/admin-user-page.ts'
import { adminOf, notFound, refused, said, userIdOf, userPath } from './admin-answers.ts'

/** What a reset of this user by this administrator would come to, and what another one asked for. */
export async function resetOf(
  db: Services['db'],
  user: ShownUser,
  admin: UserId,
): Promise<{ readonly decision: ResetDecision; readonly waiting: WaitingReset | undefined }> {
  const { resetRequest } = user
  const requester =
    resetRequest && (await listUsers(db, { ids: [resetRequest.requestedBy], limit: 1 })).users[0]
  const asked = resetRequest && {
    requestedBy: resetRequest.requestedBy,
    requesterMayAdminister: requester?.isSuperuser === true && !requester.disabled,
  }
  const decision = decideReset(user, admin, asked)
  // What is as good as not asked is not shown either.
  if (resetRequest === undefined || requester === undefined || decision === 'request') {
    return { decision, waiting: undefined }
  }
  const { requestedAt, expiresAt } = resetRequest
  const mayApprove = decision === 'reset' && user.id !== admin
  return { decision, waiting: { requestedBy: requester.username, mayApprove, requestedAt, expiresAt } }
}

/** `GET /admin/users/:id/reset`: says what it does. */
export const askForReset = pageRoute({
  method: 'GET',
  path: '/admin/users/:id/reset',
  access: 'admin',
  async handle(request, { services }) {
    const id = userIdOf(request)
    const user = id && (await findShownUser(services.db, { id }, services.now()))
    if (id === undefined || user === undefined) return notFound(request)
    const { admin } = adminOf(request)
    if (id === admin.user.id) return said(userPath(id), 'own-account')
    const { decision } = await resetOf(services.db, user, admin.user.id)
    if (decision === 'needs-another-admin') return said(userPath(id), 'reset-waits')
    const { view } = request
    const props = { userId: id, username: user.username, takesTwo: decision === 'request' }
    return pageAnswer(view, confirmResetPage(view, props))
  },
})

/** `POST /admin/users/:id/reset`: shows the one-time recovery code, this once; or asks another administrator. */
export const reset = pageRoute({
  method: 'POST',
  path: '/admin/users/:id/reset',
  access: 'admin',
  async handle(request, { services }) {
    const id = userIdOf(request)
    const user = id && (await findShownUser(services.db, { id }, services.now()))
    if (id === undefined || user === undefined) return notFound(request)
    const page = userPath(id)
    const outcome = await byAdmin(resetAsAdmin(services, id, adminOf(request)))
    switch (outcome.kind) {
      case 'reset': {
        const { view } = request
        const { recoveryCode: code, lifetime } = outcome
        const endsAt = services.now() + lifetime
        return pageAnswer(view, resetDonePage(view, { userId: id, username: user.username, code, endsAt }))
      }
      case 'requested':
        return said(page, 'reset-requested')
      case 'needs-another-admin':
        return said(page, 'reset-waits')
      case 'busy':
      case 'superseded':
        return said(page, outcome.kind)
      case 'no-such-user':
        return notFound(request)
      case 'stale':
        return refused(request, outcome, `${page}/reset`)
      case 'not-admin':
      case 'own-account':
        return refused(request, outcome, page)
    }
  },
})

/** `POST /admin/users/:id/reset/withdraw` */
export const withdraw = pageRoute({
  method: 'POST',
  path: '/admin/users/:id/reset/withdraw',
  access: 'admin',
  async handle(request, { services }) {
    const id = userIdOf(request)
    if (id === undefined) return notFound(request)
    const page = userPath(id)
    const outcome = await byAdmin(withdrawReset(services, id, adminOf(request)))
    switch (outcome.kind) {
      case 'withdrawn':
        return said(page, 'reset-withdrawn')
      case 'none':
        return said(page, 'gone')
      case 'not-admin':
      case 'stale':
      case 'own-account':
        return refused(request, outcome, page)
    }
  },
})
