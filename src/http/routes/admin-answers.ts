import { z } from 'zod'
import type { AdminRefusal } from '../../actions/allow.ts'
import type { Admin } from '../../actions/caller.ts'
import { isId } from '../../domain/id.ts'
import type { SessionWithUser } from '../../domain/session.ts'
import type { UserId } from '../../domain/user.ts'
import type { Answer } from '../answer.ts'
import { redirect } from '../page.ts'
import type { PageRequest } from '../page-endpoint.ts'
import { type AdminNotice, adminNotices } from '../pages/admin-parts.ts'
import { errorPage } from '../pages/error-page.ts'
import { addressOf } from './fields.ts'

/** Why an administrator's change was not made: a fresh proof first, or a sentence on the page it came from. */
export async function refused({ view }: PageRequest, refusal: AdminRefusal, page: string): Promise<Answer> {
  switch (refusal.kind) {
    case 'stale':
      return redirect(addressOf('/confirm', page))
    case 'not-admin':
      return errorPage(view, 'forbidden', { status: 403 })
    case 'own-account':
      return said(page, 'own-account')
  }
}

/** Back to a page, which says what was done. */
export const said = (page: string, notice: AdminNotice): Answer => redirect(`${page}?notice=${notice}`)

const isNotice = (text: string): text is AdminNotice => Object.hasOwn(adminNotices, text)

/** What a page was asked to say, if it is one of the list. */
export const noticeQuery = z.object({ notice: z.string().refine(isNotice).optional().catch(undefined) })

/** The user of a path, if it names one by form; whether there is one, the store knows. */
export const userIdOf = ({ id }: { readonly id: string }): UserId | undefined =>
  isId(id) ? (id as UserId) : undefined

export const userPath = (id: UserId): string => `/admin/users/${id}`

/** Whoever asks, as changes want to know them. */
export function adminOf({ session, caller }: PageRequest): Admin {
  return { admin: demanded(session), caller }
}

/** The session, which a page of the administration is never opened without. */
function demanded(session: SessionWithUser | undefined): SessionWithUser {
  if (session === undefined) throw new Error('a page of the administration was opened without a session')
  return session
}

export const notFound = ({ view }: PageRequest): Promise<Answer> =>
  errorPage(view, 'notFound', { status: 404 })
