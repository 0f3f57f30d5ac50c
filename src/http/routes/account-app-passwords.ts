import { z } from 'zod'
import { makeAppPassword } from '../../actions/make-app-password.ts'
import { revokeAppPassword } from '../../actions/revoke-app-password.ts'
import { policiesToOffer } from '../../domain/app-password.ts'
import type { SessionWithUser } from '../../domain/session.ts'
import { ownAppPasswords } from '../../store/views/own-account.ts'
import type { Answer } from '../answer.ts'
import type { Edge } from '../endpoint.ts'
import { pageAnswer, redirect } from '../page.ts'
import { type PageRequest, pageRoute } from '../page-endpoint.ts'
import {
  type AppPasswordDraft,
  appPasswordsPage,
  newAppPasswordPage,
} from '../pages/account-app-passwords-page.ts'
import type { Told } from '../pages/account-frame.ts'
import { done, idField, noticeQuery, proveFirst, viewAt } from './account-visit.ts'
import * as fields from './fields.ts'

const APP_PASSWORDS = '/account/app-passwords'

/** What the form begins with: long enough to be of use, short enough to be thought of again. */
const USUAL_DAYS = 90

/** `GET /account/app-passwords` */
export const showAppPasswords = pageRoute({
  method: 'GET',
  path: APP_PASSWORDS,
  access: 'session',
  query: noticeQuery,
  async handle(request, edge) {
    const { session, query } = request
    if (session === undefined) return redirect('/login')
    return listAnswer(request, edge, session, { told: query })
  },
})

/** A box for each policy, by its name: a form may not send one name twice. */
const POLICY = 'policy-'
const newFields = z
  .object({ name: fields.text, days: fields.text.default('') })
  .catchall(z.literal('yes'))
  .refine(({ name: _, days: __, ...boxes }) => Object.keys(boxes).every((box) => box.startsWith(POLICY)))
  .transform(({ name, days, ...boxes }) => ({
    ...{ name, days: days.trim() },
    policies: Object.keys(boxes).map((box) => box.slice(POLICY.length)),
  }))

/** `POST /account/app-passwords/make`: shows it, this once. */
export const makeOwnAppPassword = pageRoute({
  method: 'POST',
  path: '/account/app-passwords/make',
  access: 'session',
  fields: newFields,
  async handle(request, edge) {
    const { session, caller, view } = request
    if (session === undefined) return redirect('/login')
    const { appPasswords: t } = view.t.account
    const { name, policies, days } = request.fields
    const again = (errors: NonNullable<AppPasswordDraft['errors']>) =>
      listAnswer(request, edge, session, { draft: { ...request.fields, errors }, status: 422 })
    const { longestDays } = edge.services.policy.appPasswords
    if (!/^\d{0,4}$/.test(days)) return again({ days: t.daysProblem(longestDays) })
    const wanted = { name, policies, days: days === '' ? undefined : Number(days) }
    const outcome = await makeAppPassword(edge.services, session, { wanted, caller })
    switch (outcome.kind) {
      case 'made':
        return pageAnswer(view, newAppPasswordPage(view, outcome))
      case 'unsuitable-name':
        return again({ name: view.t.account.devices.nameProblem })
      case 'unsuitable-policy':
        return again({ policies: t.policiesProblem })
      case 'unsuitable-lifetime':
        return again({ days: t.daysProblem(longestDays) })
      case 'too-many':
        return listAnswer(request, edge, session, {
          told: { problem: t.tooMany(outcome.maximum) },
          draft: request.fields,
          status: 422,
        })
      case 'stale':
        return proveFirst(APP_PASSWORDS)
    }
  },
})

/** `POST /account/app-passwords/revoke` */
export const revokeOwnAppPassword = pageRoute({
  method: 'POST',
  path: '/account/app-passwords/revoke',
  access: 'session',
  fields: z.strictObject({ id: idField }),
  async handle(request, edge) {
    const { session, caller, view } = request
    if (session === undefined) return redirect('/login')
    const outcome = await revokeAppPassword(edge.services, session, { id: request.fields.id, caller })
    switch (outcome.kind) {
      case 'revoked':
        return done(APP_PASSWORDS, 'app-password-revoked')
      case 'not-found': {
        const told = { problem: view.t.account.appPasswords.gone }
        return listAnswer(request, edge, session, { told, status: 404 })
      }
    }
  },
})

async function listAnswer(
  { view }: PageRequest,
  { services }: Edge,
  { user, groups, session: { amr } }: SessionWithUser,
  {
    told = {},
    draft,
    status = 200,
  }: { readonly told?: Told; readonly draft?: AppPasswordDraft; readonly status?: number },
): Promise<Answer> {
  const { db, policy, now: clock } = services
  const now = clock()
  const { longestDays } = policy.appPasswords
  const owned = await ownAppPasswords(db, user.id)
  const shown = viewAt(view, APP_PASSWORDS)
  const page = appPasswordsPage(shown, {
    told,
    owned: owned.map((each) => ({
      ...each,
      hasEnded: each.expiresAt !== undefined && now >= each.expiresAt,
    })),
    policies: policiesToOffer(policy, { ...user, groups, amr }),
    longestDays,
    draft: draft ?? { name: '', policies: [], days: String(Math.min(USUAL_DAYS, longestDays || USUAL_DAYS)) },
  })
  return pageAnswer(shown, page, { status })
}
