import { z } from 'zod'
import { changePassword } from '../../actions/change-password.ts'
import { secondFactorDemanded } from '../../domain/login.ts'
import { isFresh, type SessionWithUser } from '../../domain/session.ts'
import { ownAppPasswords, passwordChangedAt } from '../../store/views/own-account.ts'
import type { Answer } from '../answer.ts'
import type { Edge } from '../endpoint.ts'
import { pageAnswer, redirect } from '../page.ts'
import { type PageRequest, pageRoute } from '../page-endpoint.ts'
import { type PasswordProps, passwordChangePage } from '../pages/account-password-page.ts'
import { waitText } from '../pages/parts.ts'
import { passwordSentence } from '../pages/problems.ts'
import { done, proveFirst, retryAfter } from './account-visit.ts'
import * as fields from './fields.ts'

const PASSWORD = '/account/password'

/** `GET /account/password`; asks for a fresh proof first, so that nothing is typed in vain. */
export const showPassword = pageRoute({
  method: 'GET',
  path: PASSWORD,
  access: 'session',
  async handle(request, edge) {
    const { session } = request
    if (session === undefined) return redirect('/login')
    const { policy, now } = edge.services
    if (!isFresh(session.session, session.user, policy.session, now())) return proveFirst(PASSWORD)
    return passwordAnswer(request, edge, session, {})
  },
})

/** `POST /account/password` (SEC-PW-7) */
export const savePassword = pageRoute({
  method: 'POST',
  path: PASSWORD,
  access: 'session',
  fields: z.strictObject({
    current_password: fields.text,
    new_password: fields.text,
    keep_app_passwords: z.literal('yes').optional(),
  }),
  async handle(request, edge) {
    const { session, caller, view } = request
    if (session === undefined) return redirect('/login')
    const { t } = view
    const { current_password: current, new_password: next } = request.fields
    const again = (shown: Shown) => passwordAnswer(request, edge, session, shown)
    const wrong = () => again({ errors: { current: t.account.password.wrong }, status: 422 })
    if (!fields.isPassword(current)) return wrong()
    if (next === '' || !next.isWellFormed()) return again({ errors: { next: t.login.needed }, status: 422 })
    const keepAppPasswords = request.fields.keep_app_passwords !== undefined
    const change = { current, next, keepAppPasswords, caller }
    const outcome = await changePassword(edge.services, session, change)
    switch (outcome.kind) {
      case 'changed':
        return done('/account', 'password-changed', [edge.cookies.set('session', outcome.sessionToken)])
      case 'wrong-password':
        return wrong()
      case 'unsuitable':
        return again({ errors: { next: passwordSentence(t, outcome.problem) }, status: 422 })
      case 'stale':
        return proveFirst(PASSWORD)
      case 'throttled':
        return again({
          problem: t.common.throttled(waitText(t, outcome.wait)),
          status: 429,
          wait: outcome.wait,
        })
      case 'busy':
        return again({ problem: t.common.busy, status: 503, wait: 1 })
      case 'superseded':
        return done('/account', 'superseded')
    }
  },
})

interface Shown extends Pick<PasswordProps, 'errors'> {
  readonly problem?: string
  readonly status?: number
  readonly wait?: number
}

async function passwordAnswer(
  { view }: PageRequest,
  { services }: Edge,
  { user }: SessionWithUser,
  { problem, errors, status = 200, wait }: Shown,
): Promise<Answer> {
  const { db, policy } = services
  const { minimumLength, minimumLengthAlone } = policy.password
  const page = passwordChangePage(view, {
    told: { problem },
    username: user.username,
    minimum: secondFactorDemanded(user, policy.enrolment) ? minimumLength : minimumLengthAlone,
    changedAt: await passwordChangedAt(db, user.id),
    hasAppPasswords: (await ownAppPasswords(db, user.id)).length > 0,
    errors,
  })
  return pageAnswer(view, page, { status, ...(wait !== undefined && { headers: retryAfter(wait) }) })
}
