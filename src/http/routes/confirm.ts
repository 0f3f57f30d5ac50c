import { z } from 'zod'
import { authenticate } from '../../actions/authenticate.ts'
import { submitPassword } from '../../actions/submit-password.ts'
import type { SessionWithUser } from '../../domain/session.ts'
import type { Answer } from '../answer.ts'
import type { Edge } from '../endpoint.ts'
import { pageAnswer, redirect } from '../page.ts'
import { type PageRequest, pageRoute } from '../page-endpoint.ts'
import { confirmPage } from '../pages/confirm-page.ts'
import { waitText } from '../pages/parts.ts'
import * as fields from './fields.ts'
import { advanced } from './signed-in.ts'

/** `GET /confirm`: asks whoever is signed in for a fresh proof (SEC-AUTH-10). */
export const showConfirm = pageRoute({
  method: 'GET',
  path: '/confirm',
  access: 'session',
  query: z.object({ return_to: fields.returnTo }),
  async handle(request, edge) {
    if (request.session === undefined) return redirect('/login')
    return ask(request, edge, request.session, request.query.return_to)
  },
})

/** `POST /confirm`: a sign-in like any other, whose session replaces this one (SEC-SES-16). */
export const confirm = pageRoute({
  method: 'POST',
  path: '/confirm',
  access: 'session',
  fields: z.strictObject({ return_to: fields.returnTo, password: fields.text, otp: fields.text.optional() }),
  async handle(request, edge) {
    const { session, caller, view } = request
    if (session === undefined) return redirect('/login')
    const { password, otp = '', return_to: asked } = request.fields
    const { t } = view
    const again = (problem: string, status: number, wait?: number) =>
      ask(request, edge, session, asked, { problem, status, wait })
    const { username, hasSecondFactor } = session.user
    const refused = hasSecondFactor ? t.login.confirm.refused : t.login.confirm.refusedPassword
    if (!fields.isPassword(password)) return again(refused, 422)
    const outcome = hasSecondFactor
      ? await authenticate(edge.services, { username, password, code: otp, uniform: true }, caller)
      : await submitPassword(edge.services, { username, password }, caller)
    switch (outcome.kind) {
      case 'signed-in':
      case 'continue':
        return advanced(request, edge, outcome, fields.checkedReturnTo(asked, edge))
      case 'throttled':
        // Where a wrong password and a wrong code are one answer, only the code's wait would tell them apart.
        if (edge.singleForm && 'budget' in outcome && outcome.budget === 'code') return again(refused, 422)
        return again(t.common.throttled(waitText(t, outcome.wait)), 429, outcome.wait)
      case 'busy':
        return again(t.common.busy, 503, 1)
      case 'refused':
      case 'not-awaited':
      case 'wrong-code':
      case 'enrolment-required':
        return again(refused, 422)
    }
  },
})

function ask(
  { view }: PageRequest,
  edge: Edge,
  { user }: SessionWithUser,
  asked: string | undefined,
  {
    problem,
    status = 200,
    wait,
  }: { readonly problem?: string; readonly status?: number; readonly wait?: number | undefined } = {},
): Promise<Answer> {
  const page = confirmPage(view, {
    username: user.username,
    withCode: user.hasSecondFactor,
    returnTo: fields.checkedReturnTo(asked, edge),
    problem,
  })
  return pageAnswer(view, page, {
    status,
    ...(wait !== undefined && { headers: { 'retry-after': String(wait) } }),
  })
}
