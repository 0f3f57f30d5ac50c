import { z } from 'zod'
import { authenticate } from '../../actions/authenticate.ts'
import { confirmEnrolment } from '../../actions/confirm-enrolment.ts'
import { signOut } from '../../actions/sign-out.ts'
import { submitCode } from '../../actions/submit-code.ts'
import { submitPassword } from '../../actions/submit-password.ts'
import {
  type Answer,
  busy,
  failure,
  invalidCredentials,
  notSignedIn,
  ok,
  superseded,
  throttled,
} from '../answer.ts'
import type { ApiRequest, Edge, Route } from '../endpoint.ts'
import * as schemas from './schemas.ts'
import { advancedAnswer, proofAnswer, renewedAnswer, sessionFields } from './sign-in-answers.ts'

const limited = {
  429: {
    description: 'Too many attempts; `Retry-After` says how long to wait.',
    schema: schemas.throttledBody,
  },
  503: {
    description: 'Busy, or the storage is unavailable; nothing was changed.',
    schema: schemas.errorBody,
  },
} as const

const loginFields = z.strictObject({ username: schemas.username, password: schemas.password })

/** `POST /auth/login/` */
export const login: Route<typeof loginFields> = {
  method: 'POST',
  path: '/auth/login/',
  access: 'anybody',
  summary: 'Begin a login',
  description:
    'Checks the password and says what comes next. The cookie it sets is that of a login, not of a session.',
  body: loginFields,
  answers: {
    200: {
      description: 'The password was right; `next` names the step that is due.',
      schema: schemas.signInBody,
    },
    400: { description: 'A field is missing or malformed.', schema: schemas.errorBody },
    401: { description: 'Unknown user, wrong password or disabled: one answer.', schema: schemas.errorBody },
    ...limited,
  },
  async handle({ fields, caller }, edge) {
    const outcome = await submitPassword(edge.services, fields, caller)
    switch (outcome.kind) {
      case 'signed-in':
      case 'continue':
        return advancedAnswer(edge, outcome, 'Login successful')
      // The account changed while its password was checked: as good as wrong.
      case 'not-awaited':
      case 'refused':
        edge.metrics.signIn('refused')
        return invalidCredentials()
      case 'throttled':
        edge.metrics.signIn('throttled')
        return throttled(outcome.wait)
      case 'busy':
        edge.metrics.signIn('busy')
        return busy()
    }
  },
}

const authenticateFields = loginFields.extend({ otp: schemas.otp })

/** `POST /auth/authenticate/` */
export const authenticateAtOnce: Route<typeof authenticateFields> = {
  method: 'POST',
  path: '/auth/authenticate/',
  access: 'anybody',
  summary: 'Sign in with all three at once',
  description:
    'Username, password and a code or recovery code. Confirms a pending enrolment when the code fits it and the user has no confirmed device.',
  body: authenticateFields,
  answers: {
    200: { description: 'Signed in, or `next` names one more step.', schema: schemas.signInBody },
    400: { description: 'The code is wrong or used, or a field is malformed.', schema: schemas.errorBody },
    401: { description: 'Unknown user, wrong password or disabled: one answer.', schema: schemas.errorBody },
    403: { description: 'The user has no one-time code yet.', schema: schemas.errorBody },
    ...limited,
  },
  async handle({ fields, caller }, edge) {
    const { username, password, otp } = fields
    const input = { username, password, code: otp, uniform: edge.uniformErrors }
    const outcome = await authenticate(edge.services, input, caller)
    switch (outcome.kind) {
      case 'refused':
      case 'not-awaited':
        edge.metrics.signIn('refused')
        return invalidCredentials()
      default:
        return proofAnswer(edge, outcome)
    }
  },
}

const verifyFields = z.strictObject({ otp: schemas.otp })

/** `POST /auth/verify/` */
export const verify: Route<typeof verifyFields> = {
  method: 'POST',
  path: '/auth/verify/',
  access: 'login-or-session',
  summary: 'Send the code that a login or an enrolment waits for',
  description: 'The second step of a login under way, or the first code of a new authenticator.',
  body: verifyFields,
  answers: {
    200: {
      description: 'Signed in, or confirmed.',
      schema: z.union([schemas.signInBody, schemas.renewedBody]),
    },
    400: { description: 'The code is wrong or used.', schema: schemas.errorBody },
    401: { description: 'No login is under way.', schema: schemas.errorBody },
    403: { description: 'The login waits for an enrolment that has not begun.', schema: schemas.errorBody },
    409: { description: 'The session waits for no code.', schema: schemas.errorBody },
    ...limited,
  },
  async handle(request, edge) {
    const { fields, loginToken, session, caller } = request
    if (loginToken !== undefined) {
      const outcome = await submitCode(edge.services, { loginToken, code: fields.otp }, caller)
      if (outcome.kind !== 'not-awaited' || session === undefined) return proofAnswer(edge, outcome)
    }
    return session === undefined ? notSignedIn() : confirm(request, session, edge)
  },
}

async function confirm(
  { fields, caller }: ApiRequest<z.output<typeof verifyFields>>,
  session: NonNullable<ApiRequest<unknown>['session']>,
  edge: Edge,
): Promise<Answer> {
  const outcome = await confirmEnrolment(edge.services, session, { code: fields.otp, caller })
  switch (outcome.kind) {
    case 'confirmed':
      return renewedAnswer(edge, outcome, 'The authenticator is set up. Your other sessions were ended.')
    case 'wrong-code':
      return failure(400, 'invalid_otp', 'Invalid OTP')
    case 'throttled':
      return throttled(outcome.wait)
    case 'not-awaited':
      return failure(409, 'nothing_to_verify', 'You are signed in, and nothing waits for a code.')
    case 'superseded':
      return superseded()
  }
}

/** `GET /auth/session/` */
export const whoAmI: Route = {
  method: 'GET',
  path: '/auth/session/',
  access: 'session',
  summary: 'Who am I',
  description: 'The user of the session, how they proved it and until when it holds.',
  answers: {
    200: { description: 'Signed in.', schema: schemas.sessionBody },
    401: { description: 'Nobody is signed in.', schema: schemas.errorBody },
  },
  handle: async ({ session }, edge) =>
    session === undefined ? notSignedIn() : ok(sessionFields(edge, session)),
}

/** `POST /auth/logout/` */
export const logout: Route = {
  method: 'POST',
  path: '/auth/logout/',
  access: 'anybody',
  summary: 'Sign out',
  description: 'Ends the session and any login under way of this browser; does nothing where there is none.',
  answers: { 200: { description: 'Signed out.', schema: schemas.messageBody } },
  async handle({ caller, loginToken }, { services, cookies }) {
    await signOut(services, { sessionToken: caller.sessionToken, loginToken }, caller)
    return {
      ...ok({ message: 'Signed out' }, [cookies.clear('session'), cookies.clear('login')]),
      headers: { 'clear-site-data': '"cache", "storage"' },
    }
  },
}
