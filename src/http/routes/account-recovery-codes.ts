import { z } from 'zod'
import { makeRecoveryCodes } from '../../actions/make-recovery-codes.ts'
import type { SessionWithUser } from '../../domain/session.ts'
import { recoveryCodesLeft, recoveryCodesMadeAt } from '../../store/views/own-account.ts'
import type { Answer } from '../answer.ts'
import type { Edge } from '../endpoint.ts'
import { pageAnswer, redirect } from '../page.ts'
import { type PageRequest, pageRoute } from '../page-endpoint.ts'
import type { Told } from '../pages/account-frame.ts'
import { recoveryOverviewPage, savedNeededPage } from '../pages/account-recovery-page.ts'
import { recoveryCodesPage } from '../pages/recovery-codes-page.ts'
import { done, noticeQuery, proveFirst, retryAfter, viewAt } from './account-visit.ts'
import * as fields from './fields.ts'

const CODES = '/account/recovery-codes'

/** `GET /account/recovery-codes`: how many are left; the codes themselves are shown only when they are made. */
export const showRecoveryCodes = pageRoute({
  method: 'GET',
  path: CODES,
  access: 'session',
  query: noticeQuery,
  async handle(request, edge) {
    const { session, query } = request
    return session === undefined ? redirect('/login') : codesAnswer(request, edge, session, query)
  },
})

/** `POST /account/recovery-codes`: a new set, shown this once. */
export const makeCodes = pageRoute({
  method: 'POST',
  path: CODES,
  access: 'session',
  async handle(request, edge) {
    const { session, caller, view } = request
    if (session === undefined) return redirect('/login')
    // No proof would be fresh enough: there is no second factor that it could have.
    if (!session.user.hasSecondFactor) return done('/account/devices', 'codes-first')
    const outcome = await makeRecoveryCodes(edge.services, session, caller)
    switch (outcome.kind) {
      case 'made':
        return pageAnswer(view, recoveryCodesPage(view, { codes: outcome.codes, returnTo: CODES }))
      case 'stale':
        return proveFirst(CODES)
      case 'busy': {
        const told = { problem: view.t.common.busy }
        return codesAnswer(request, edge, session, told, 503)
      }
    }
  },
})

/** `POST /account/recovery-codes/saved`: goes on once the codes were saved. */
export const savedCodes = pageRoute({
  method: 'POST',
  path: '/account/recovery-codes/saved',
  access: 'session',
  fields: z.strictObject({ saved: z.literal('yes').optional(), return_to: fields.returnTo }),
  async handle({ view, fields: { saved, return_to: asked } }, edge) {
    const returnTo = fields.checkedReturnTo(asked, edge)
    if (saved !== undefined) return redirect(returnTo ?? '/account')
    const shown = viewAt(view, CODES)
    return pageAnswer(shown, savedNeededPage(shown, { returnTo }), { status: 422 })
  },
})

async function codesAnswer(
  { view }: PageRequest,
  { services }: Edge,
  { user }: SessionWithUser,
  told: Told,
  status: 200 | 503 = 200,
): Promise<Answer> {
  const { db, now: clock } = services
  const now = clock()
  const page = recoveryOverviewPage(view, {
    told,
    left: await recoveryCodesLeft(db, user.id, now),
    madeAt: await recoveryCodesMadeAt(db, user.id, now),
    hasSecondFactor: user.hasSecondFactor,
  })
  return pageAnswer(view, page, { status, ...(status === 503 && { headers: retryAfter(1) }) })
}
