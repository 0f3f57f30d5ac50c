import type { Advanced } from '../../actions/advance-login.ts'
import { beginEnrolment } from '../../actions/begin-enrolment.ts'
import { makeRecoveryCodes } from '../../actions/make-recovery-codes.ts'
import { formKeyOf, type Token } from '../../domain/token.ts'
import type { Answer } from '../answer.ts'
import { sessionCookies } from '../api/sign-in-answers.ts'
import type { Edge } from '../endpoint.ts'
import { type Page, pageAnswer, redirect, type View } from '../page.ts'
import type { PageRequest } from '../page-endpoint.ts'
import { recoveryCodesPage, recoveryUsedPage } from '../pages/recovery-codes-page.ts'
import { addressOf } from './fields.ts'

/** A step of a login was taken: to the next one, or into the session that begins. */
export async function advanced(
  request: PageRequest,
  edge: Edge,
  outcome: Exclude<Advanced, { kind: 'not-awaited' }>,
  returnTo: string | undefined,
  hasEnrolled = false,
): Promise<Answer> {
  edge.metrics.signIn(outcome.kind === 'signed-in' ? 'signed-in' : 'continued')
  if (outcome.kind === 'continue') {
    // Whoever waits for an enrolment sees the picture at once; it is made by this POST, for a GET changes nothing.
    if (outcome.step === 'enrol-totp') await beginByLogin(request, edge, outcome.loginToken.token)
    return redirect(addressOf('/login', returnTo), [edge.cookies.set('login', outcome.loginToken)])
  }
  // The key of forms from before belongs to nobody any more (SEC-CSRF-2).
  const cookies = [...sessionCookies(edge, outcome), edge.cookies.clear('form')]
  const goOn = returnTo ?? '/account'
  const { user, session, sessionToken, recoveryCodesLeft } = outcome
  // Forms of a page that is shown at once belong to the session that has just begun.
  const view: View = { ...request.view, user, formKey: formKeyOf(sessionToken.token), here: '/account' }
  const show = (page: Page) => pageAnswer(view, page, { cookies })
  if (hasEnrolled) {
    const made = await makeRecoveryCodes(edge.services, { session, user, groups: [] }, request.caller)
    // Too busy to make them now: the account page says that there are none.
    if (made.kind !== 'made') return redirect(goOn, cookies)
    return show(recoveryCodesPage(view, { codes: made.codes, returnTo: goOn }))
  }
  if (recoveryCodesLeft === undefined) return redirect(goOn, cookies)
  return show(recoveryUsedPage(view, { left: recoveryCodesLeft, returnTo: goOn }))
}

/** Begins the enrolment that a login waits for; the page that follows shows whether it did. */
export async function beginByLogin(
  { view, caller }: PageRequest,
  { services }: Edge,
  loginToken: Token,
): Promise<void> {
  const name = view.t.login.enrol.deviceName
  await beginEnrolment(services, { loginToken }, { name, caller })
}
