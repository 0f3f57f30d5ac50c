import { z } from 'zod'
import { authenticate } from '../../actions/authenticate.ts'
import { lookUpLogin, type WaitingLogin } from '../../actions/look-up-login.ts'
import { replaceExpiredPassword } from '../../actions/replace-expired-password.ts'
import { signOut } from '../../actions/sign-out.ts'
import { submitCode } from '../../actions/submit-code.ts'
import { submitPassword } from '../../actions/submit-password.ts'
import type { Answer } from '../answer.ts'
import { redirect } from '../page.ts'
import { pageRoute } from '../page-endpoint.ts'
import { waitText } from '../pages/parts.ts'
import { passwordSentence } from '../pages/problems.ts'
import * as fields from './fields.ts'
import { again, showStep, type Visit, withRetry } from './login-steps.ts'
import { advanced, beginByLogin } from './signed-in.ts'

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
        await endLogin(visit)
        return redirect(fields.addressOf('/login', visit.returnTo), [edge.cookies.clear('login')])
    }
  },
})

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
    case 'continue':
      await endLogin(visit)
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
      await endLogin(visit)
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

/** Ends the login of this browser on the server too, so that a copy of its cookie is good for nothing (L-02). */
async function endLogin({ request: { loginToken, caller }, edge }: Visit): Promise<void> {
  if (loginToken !== undefined) await signOut(edge.services, { sessionToken: undefined, loginToken }, caller)
}

async function enrol(visit: Visit): Promise<Answer> {
  const { request, edge, returnTo } = visit
  if (request.loginToken !== undefined) await beginByLogin(request, edge, request.loginToken)
  return redirect(fields.addressOf('/login', returnTo))
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
