import { z } from 'zod'
import { byAdmin } from '../../actions/allow.ts'
import { revokeAppPasswordOf } from '../../actions/revoke-app-password.ts'
import { findShownUser } from '../../store/views/show-user.ts'
import { pageRoute } from '../page-endpoint.ts'
import { idField } from './account-visit.ts'
import { adminOf, notFound, refused, said, userIdOf, userPath } from './admin-answers.ts'

/** `POST /admin/users/:id/app-passwords/revoke` */
export const revokeAnyAppPassword = pageRoute({
  method: 'POST',
  path: '/admin/users/:id/app-passwords/revoke',
  access: 'admin',
  fields: z.strictObject({ app_password: idField }),
  async handle(request, { services }) {
    const id = userIdOf(request)
    if (id === undefined) return notFound(request)
    const { app_password: appPasswordId } = request.fields
    const user = await findShownUser(services.db, { id }, services.now())
    // The identifier of somebody else's does nothing under this user's address (SEC-AZ-2).
    const isOfUser = user?.appPasswords.some((owned) => owned.id === appPasswordId) === true
    if (!isOfUser) return said(userPath(id), 'gone')
    const outcome = await byAdmin(revokeAppPasswordOf(services, appPasswordId, adminOf(request)))
    switch (outcome.kind) {
      case 'revoked':
        return said(userPath(id), 'app-password-revoked')
      case 'not-found':
        return said(userPath(id), 'gone')
      case 'not-admin':
      case 'stale':
      case 'own-account':
        return refused(request, outcome, userPath(id))
    }
  },
})
