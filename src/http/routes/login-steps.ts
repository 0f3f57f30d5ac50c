import { lookUpLogin } from '../../actions/look-up-login.ts'
import { showEnrolment } from '../../actions/show-enrolment.ts'
import type { Token } from '../../domain/token.ts'
import type { Answer } from '../answer.ts'
import type { Edge } from '../endpoint.ts'
import { html } from '../html.ts'
import { pageAnswer, redirect } from '../page.ts'
import type { PageRequest } from '../page-endpoint.ts'
import { enrolmentForm, enrolmentStart } from '../pages/enrolment-page.ts'
import { codePage, newPasswordPage, passwordPage, type Said, startOver } from '../pages/login-pages.ts'
import { formStart } from '../pages/parts.ts'

const HOME = '/account'

/** Who arrives at the page: where to go on to, and how. */
export interface Visit {
  readonly request: PageRequest
  readonly edge: Edge
  readonly returnTo: string | undefined
  readonly from: 'app' | 'recovery'
}

/** The page of the step that is due, with what is to be said about the one before. */
export async function showStep(visit: Visit, said: Said, status = 200, tries = 0): Promise<Answer> {
  const { request, edge, returnTo, from } = visit
  const { view, loginToken, session } = request
  const waiting = loginToken && (await lookUpLogin(edge.services, loginToken))
  if (loginToken === undefined || waiting === undefined) {
    if (session !== undefined && said.problem === undefined) return redirect(returnTo ?? HOME)
    return pageAnswer(view, passwordPage(view, { returnTo, single: edge.singleForm, ...said }), { status })
  }
  const { username } = waiting.user
  const { services } = edge
  switch (waiting.step) {
    case 'totp': {
      const props = { username, returnTo, from, tries, now: services.now(), ...said }
      return pageAnswer(view, codePage(view, props), { status })
    }
    case 'enrol-totp':
      return showEnrolmentStep(visit, loginToken, said, status)
    case 'new-password': {
      const { minimumLength, minimumLengthAlone } = services.policy.password
      const minimum = waiting.user.hasSecondFactor ? minimumLength : minimumLengthAlone
      return pageAnswer(view, newPasswordPage(view, { username, returnTo, minimum, ...said }), { status })
    }
  }
}

async function showEnrolmentStep(
  { request: { view }, edge, returnTo }: Visit,
  loginToken: Token,
  { error, problem }: Said,
  status: number,
): Promise<Answer> {
  const { enrol } = view.t.login
  const pending = await showEnrolment(edge.services, { loginToken })
  const step = (
    name: string,
  ) => html`${formStart(view, '/login')}<input type="hidden" name="step" value="${name}">
${returnTo === undefined ? '' : html`<input type="hidden" name="return_to" value="${returnTo}">`}`
  const codeStep = html`${step('code')}<input type="hidden" name="from" value="app"><input type="hidden" name="tries" value="0">`
  const body =
    pending.kind === 'pending'
      ? enrolmentForm(view, pending, { form: codeStep, error })
      : enrolmentStart(view, { form: step('enrol'), problem })
  return pageAnswer(
    view,
    {
      title: enrol.title,
      width: 'narrow',
      body: html`<div class="card"><h1>${enrol.title}</h1><p>${enrol.intro}</p>${body}<p></p>${startOver(view, returnTo)}</div>`,
    },
    { status },
  )
}

/** The first step once more, with the name as it was typed and never the password. */
export async function again(
  { request: { view }, edge, returnTo }: Visit,
  username: string,
  problem: string,
  status: number,
  wait?: number,
): Promise<Answer> {
  const page = passwordPage(view, { username, returnTo, problem, single: edge.singleForm })
  return withRetry(await pageAnswer(view, page, { status }), wait)
}

/** Come again after `wait` seconds (RFC 9110 §10.2.3). */
export function withRetry(answer: Answer, wait: number | undefined): Answer {
  return wait === undefined
    ? answer
    : { ...answer, headers: { ...answer.headers, 'retry-after': String(wait) } }
}
