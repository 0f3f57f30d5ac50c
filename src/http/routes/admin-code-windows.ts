import { z } from 'zod'
import { byAdmin } from '../../actions/allow.ts'
import { endCodeWindowOf } from '../../actions/end-code-window.ts'
import { findShownUser } from '../../store/views/show-user.ts'
import { pageRoute } from '../page-endpoint.ts'
import { idField } from './account-visit.ts'
import { adminOf, notFound, refused, said, userIdOf, userPath } from './admin-answers.ts'

/** `POST /admin/users/:id/code-windows/end` */
export const endAnyCodeWindow = pageRoute({
  method: 'POST',
  path: '/admin/users/:id/code-windows/end',
  access: 'admin',
  fields: z.strictObject({ code_window: idField }),
  async handle(request, { services }) {
    const id = userIdOf(request)
    if (id === undefined) return notFound(request)
    const { code_window: codeWindowId } = request.fields
    const user = await findShownUser(services.db, { id }, services.now())
    // The identifier of somebody else's does nothing under this user's address (SEC-AZ-2).
    const isOfUser = user?.codeWindows.some((window) => window.id === codeWindowId) === true
    if (!isOfUser) return said(userPath(id), 'gone')
    const outcome = await byAdmin(endCodeWindowOf(services, codeWindowId, adminOf(request)))
    switch (outcome.kind) {
      case 'ended':
        return said(userPath(id), 'code-window-ended')
      case 'not-found':
        return said(userPath(id), 'gone')
      case 'not-admin':
      case 'stale':
      case 'own-account':
        return refused(request, outcome, userPath(id))
    }
  },
})
