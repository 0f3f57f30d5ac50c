import { z } from 'zod'
import { byAdmin } from '../../actions/allow.ts'
import type { Admin } from '../../actions/caller.ts'
import { disableUser } from '../../actions/disable-user.ts'
import { enableUser } from '../../actions/enable-user.ts'
import { endSessionsOf } from '../../actions/end-sessions-of.ts'
import { inviteUser } from '../../actions/invite-user.ts'
import { unlockUser } from '../../actions/unlock-user.ts'
import { isId } from '../../domain/id.ts'
import { invitationLink } from '../../domain/invitation.ts'
import type { UserId } from '../../domain/user.ts'
import type { Services } from '../../services.ts'
import { findShownUser } from '../../store/views/show-user.ts'
import { pageAnswer } from '../page.ts'
import { type PageRoute, pageRoute } from '../page-endpoint.ts'
import { invitationPage } from '../pages/admin-users-page.ts'
import { adminOf, notFound, refused, said, userIdOf, userPath } from './admin-answers.ts'

type Outcome = Awaited<ReturnType<typeof disableUser | typeof enableUser | typeof unlockUser>>

/** A change to one user that takes no fields, and is said on the user's page. */
function change(
  path: string,
  act: (services: Services, id: UserId, by: Admin) => Promise<Outcome>,
): PageRoute {
  return pageRoute({
    method: 'POST',
    path,
    access: 'admin',
    async handle(request, { services }) {
      const id = userIdOf(request)
      if (id === undefined) return notFound(request)
      const outcome = await byAdmin(act(services, id, adminOf(request)))
      switch (outcome.kind) {
        case 'disabled':
        case 'enabled':
        case 'already-so':
          return said(userPath(id), outcome.kind)
        case 'unlocked':
          return said(userPath(id), outcome.disabledDevices === 0 ? 'unlocked' : 'devices-stay-disabled')
        case 'no-such-user':
          return notFound(request)
        case 'not-admin':
        case 'stale':
        case 'own-account':
          return refused(request, outcome, userPath(id))
      }
    },
  })
}

/** `POST /admin/users/:id/disable` */
export const disable = change('/admin/users/:id/disable', (services, id, by) => {
  return disableUser(services, { id }, by)
})

/** `POST /admin/users/:id/enable` */
export const enable = change('/admin/users/:id/enable', (services, id, by) => {
  return enableUser(services, { id }, by)
})

/** `POST /admin/users/:id/unlock` */
export const unlock = change('/admin/users/:id/unlock', (services, id, by) => {
  return unlockUser(services, { id }, by)
})

/** `POST /admin/users/:id/invite`: shows the link, this once. */
export const invite = pageRoute({
  method: 'POST',
  path: '/admin/users/:id/invite',
  access: 'admin',
  async handle(request, { services, returnOrigins }) {
    const id = userIdOf(request)
    const user = id && (await findShownUser(services.db, { id }, services.now()))
    if (id === undefined || user === undefined) return notFound(request)
    const outcome = await byAdmin(inviteUser(services, { id }, adminOf(request)))
    switch (outcome.kind) {
      case 'invited': {
        const { token, lifetime } = outcome.invitation
        const { view } = request
        const page = invitationPage(view, {
          userId: id,
          username: outcome.username,
          link: invitationLink(returnOrigins.own, token),
          endsAt: services.now() + lifetime,
          isNew: user.passwordChangedAt === undefined,
        })
        return pageAnswer(view, page)
      }
      case 'disabled':
        return said(userPath(id), 'is-disabled')
      case 'needs-operator':
        return said(userPath(id), 'needs-operator')
      case 'no-such-user':
        return notFound(request)
      case 'not-admin':
      case 'stale':
      case 'own-account':
        return refused(request, outcome, userPath(id))
    }
  },
})

/** `POST /admin/users/:id/sessions/end`: one of them, or all. */
export const endSessions = pageRoute({
  method: 'POST',
  path: '/admin/users/:id/sessions/end',
  access: 'admin',
  fields: z.strictObject({ session: z.string().refine((text) => text === 'all' || isId(text)) }),
  async handle(request, { services }) {
    const id = userIdOf(request)
    if (id === undefined) return notFound(request)
    const { session } = request.fields
    const user = await findShownUser(services.db, { id }, services.now())
    const isOfUser = user?.sessions.some((held) => held.id === session) === true
    // The identifier of somebody else's session does nothing under this user's address (SEC-AZ-2).
    if (session !== 'all' && !isOfUser) return said(userPath(id), 'gone')
    const which = session === 'all' ? { userId: id } : { sessionId: session }
    const outcome = await byAdmin(endSessionsOf(services, which, adminOf(request)))
    switch (outcome.kind) {
      case 'ended':
        return said(userPath(id), 'sessions-ended')
      case 'not-found':
        return said(userPath(id), 'gone')
      case 'not-admin':
      case 'stale':
      case 'own-account':
        return refused(request, outcome, userPath(id))
    }
  },
})
