import { z } from 'zod'
import { authenticate } from '../../actions/authenticate.ts'
import { beginEnrolment } from '../../actions/begin-enrolment.ts'
import { lookUpLogin, type WaitingLogin } from '../../actions/look-up-login.ts'
import { replaceExpiredPassword } from '../../actions/replace-expired-password.ts'
import { showEnrolment } from '../../actions/show-enrolment.ts'
import { submitCode } from '../../actions/submit-code.ts'
import { submitPassword } from '../../actions/submit-password.ts'
import type { Token } from '../../domain/token.ts'
import type { Answer } from '../answer.ts'
import type { Edge } from '../endpoint.ts'
import { html } from '../html.ts'
import { pageAnswer, redirect } from '../page.ts'
import { type PageRequest, pageRoute } from '../page-endpoint.ts'
import { enrolmentForm, enrolmentStart } from '../pages/enrolment-page.ts'
import { codePage, newPasswordPage, passwordPage, type Said, startOver } from '../pages/login-pages.ts'
import { formStart, waitText } from '../pages/parts.ts'
import { passwordSentence } from '../pages/problems.ts'
import * as fields from './fields.ts'
import { advanced } from './signed-in.ts'

const HOME = '/account'

/** Who arrives at the page: where to go on to, and how. */
interface Visit {
  readonly request: PageRequest
  readonly edge: Edge
  readonly returnTo: string | undefined
  readonly from: 'app' | 'recovery'
}

const loginQuery = z.object({
  return_to: fields.returnTo,
  with: z.enum(['recovery']).optional().catch(undefined),
  signed_out: z.string().optional(),
})

/** `GET /login`: whichever step is due, so that a reload, a second tab and the back button show the truth. */
export const showLogin = pageRoute({
  method: 'GET',
  path: '/login',
  access: 'anybody',
  query: loginQuery,
  async handle(request, edge) {
    const { query } = request
    const visit: Visit = {
      request,
      edge,
      returnTo: fields.checkedReturnTo(query.return_to, edge),
      from: query.with === 'recovery' ? 'recovery' : 'app',
    }
    const said = query.signed_out === undefined ? {} : { good: request.view.t.login.signedOut }
    return showStep(visit, said)
  },
})

const loginFields = z.discriminatedUnion('step', [
  z.strictObject({
    step: z.literal('password'),
    return_to: fields.returnTo,
    username: fields.text,
    password: fields.text,
  }),
  z.strictObject({
    step: z.literal('single'),
    return_to: fields.returnTo,
    username: fields.text,
    password: fields.text,
    otp: fields.text,
  }),
  z.strictObject({
    step: z.literal('code'),
    return_to: fields.returnTo,
    from: z.enum(['app', 'recovery']),
    tries: fields.count,
    otp: fields.text,
  }),
  z.strictObject({ step: z.literal('enrol'), return_to: fields.returnTo }),
  z.strictObject({ step: z.literal('new-password'), return_to: fields.returnTo, new_password: fields.text }),
  z.strictObject({ step: z.literal('start-over'), return_to: fields.returnTo }),
])

/** `POST /login`: takes a step. */
export const takeStep = pageRoute({
  method: 'POST',
  path: '/login',
  access: 'anybody',
  fields: loginFields,
  async handle(request, edge) {
    const { fields: given } = request
    const visit: Visit = {
      request,
      edge,
      returnTo: fields.checkedReturnTo(given.return_to, edge),
      from: given.step === 'code' ? given.from : 'app',
    }
    switch (given.step) {
      case 'password':
        return withPassword(visit, given)
      case 'single':
        return given.otp.trim() === '' ? withPassword(visit, given) : atOnce(visit, given)
      case 'code':
        return withCode(visit, given)
      case 'enrol':
        return enrol(visit)
      case 'new-password':
        return withNewPassword(visit, given.new_password)
      case 'start-over':
        return redirect(fields.addressOf('/login', visit.returnTo), [edge.cookies.clear('login')])
    }
  },
})

async function showStep(visit: Visit, said: Said, status = 200, tries = 0): Promise<Answer> {
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

async function withPassword(
  visit: Visit,
  { username, password }: { readonly username: string; readonly password: string },
): Promise<Answer> {
  const { request, edge } = visit
  const { t } = request.view
  if (!fields.isPassword(password) || username === '') {
    edge.metrics.signIn('refused')
    return again(visit, username, t.login.refused, 422)
  }
  const outcome = await submitPassword(edge.services, { username, password }, request.caller)
  switch (outcome.kind) {
    case 'signed-in':
      return advanced(request, edge, outcome, visit.returnTo)
    case 'continue':
      // Whoever waits for an enrolment sees the picture at once; it is made by this POST, for a GET changes nothing.
      if (outcome.step === 'enrol-totp') await begin(visit, outcome.loginToken.token)
      return advanced(request, edge, outcome, visit.returnTo)
    case 'not-awaited':
    case 'refused':
      edge.metrics.signIn('refused')
      return again(visit, username, t.login.refused, 422)
    case 'throttled':
      edge.metrics.signIn('throttled')
      return again(visit, username, t.common.throttled(waitText(t, outcome.wait)), 429, outcome.wait)
    case 'busy':
      edge.metrics.signIn('busy')
      return again(visit, username, t.common.busy, 503, 1)
  }
}

async function atOnce(
  visit: Visit,
  { username, password, otp }: { username: string; password: string; otp: string },
): Promise<Answer> {
  const { request, edge } = visit
  const { t } = request.view
  const refused = () => again(visit, username, t.login.refusedAny, 422)
  if (!fields.isPassword(password) || username === '') return refused()
  const input = { username, password, code: otp, uniform: true }
  const outcome = await authenticate(edge.services, input, request.caller)
  switch (outcome.kind) {
    case 'signed-in':
    case 'continue':
      return advanced(request, edge, outcome, visit.returnTo)
    case 'refused':
    case 'not-awaited':
    case 'wrong-code':
    case 'enrolment-required':
      edge.metrics.signIn('refused')
      return refused()
    case 'throttled':
      edge.metrics.signIn('throttled')
      // Only the code's wait would tell that the password was right (SEC-AUTH-7).
      if (outcome.budget === 'code') return refused()
      return again(visit, username, t.common.throttled(waitText(t, outcome.wait)), 429, outcome.wait)
    case 'busy':
      edge.metrics.signIn('busy')
      return again(visit, username, t.common.busy, 503, 1)
  }
}

async function withCode(
  visit: Visit,
  { otp, tries }: { readonly otp: string; readonly tries: number },
): Promise<Answer> {
  const { request, edge, from } = visit
  const { t } = request.view
  const { loginToken } = request
  if (loginToken === undefined) return showStep(visit, { problem: t.login.over }, 422)
  const waiting = await lookUpLogin(edge.services, loginToken)
  const outcome = await submitCode(edge.services, { loginToken, code: otp }, request.caller)
  switch (outcome.kind) {
    case 'signed-in':
    case 'continue':
      return advanced(request, edge, outcome, visit.returnTo, wasEnrolment(waiting))
    case 'not-awaited':
      return showStep(visit, { problem: t.login.over }, 422)
    case 'enrolment-required':
      return showStep(visit, { problem: t.login.enrol.expired }, 422)
    case 'wrong-code': {
      edge.metrics.signIn('wrong-code')
      const ofApp = wasEnrolment(waiting) ? t.login.enrol.wrong : t.login.code.wrong
      const error = from === 'recovery' ? t.login.code.recoveryWrong : ofApp
      return showStep(visit, { error }, 422, tries + 1)
    }
    case 'throttled': {
      edge.metrics.signIn('throttled')
      const problem = t.common.throttled(waitText(t, outcome.wait))
      return withRetry(await showStep(visit, { problem }, 429, tries), outcome.wait)
    }
    case 'busy':
      edge.metrics.signIn('busy')
      return withRetry(await showStep(visit, { problem: t.common.busy }, 503, tries), 1)
  }
}

const wasEnrolment = (waiting: WaitingLogin | undefined) => waiting?.step === 'enrol-totp'

async function enrol(visit: Visit): Promise<Answer> {
  const { request, returnTo } = visit
  if (request.loginToken !== undefined) await begin(visit, request.loginToken)
  return redirect(fields.addressOf('/login', returnTo))
}

async function begin({ request, edge }: Visit, loginToken: Token): Promise<void> {
  const name = request.view.t.login.enrol.deviceName
  await beginEnrolment(edge.services, { loginToken }, { name, caller: request.caller })
}

async function withNewPassword(visit: Visit, next: string): Promise<Answer> {
  const { request, edge } = visit
  const { t } = request.view
  const { loginToken } = request
  if (loginToken === undefined) return showStep(visit, { problem: t.login.over }, 422)
  if (!next.isWellFormed() || next === '') return showStep(visit, { error: t.login.needed }, 422)
  const outcome = await replaceExpiredPassword(edge.services, { loginToken, next }, request.caller)
  switch (outcome.kind) {
    case 'signed-in':
    case 'continue':
      return advanced(request, edge, outcome, visit.returnTo)
    case 'not-awaited':
      return showStep(visit, { problem: t.login.over }, 422)
    case 'unsuitable':
      return showStep(visit, { error: passwordSentence(t, outcome.problem) }, 422)
    case 'busy':
      return withRetry(await showStep(visit, { problem: t.common.busy }, 503), 1)
  }
}

/** The first step once more, with the name as it was typed and never the password. */
async function again(
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
function withRetry(answer: Answer, wait: number | undefined): Answer {
  return wait === undefined
    ? answer
    : { ...answer, headers: { ...answer.headers, 'retry-after': String(wait) } }
}
