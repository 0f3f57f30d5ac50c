import { z } from 'zod'
import { type BeginEnrolmentOutcome, beginEnrolment } from '../../actions/begin-enrolment.ts'
import type { Caller } from '../../actions/caller.ts'
import { encodeBase32 } from '../../domain/otp/base32.ts'
import { type Answer, failure, notSignedIn, ok, stale } from '../answer.ts'
import type { ApiRequest, Edge, Route } from '../endpoint.ts'
import { qrSvg } from '../qr-svg.ts'
import { storageError } from './account-errors.ts'
import * as schemas from './schemas.ts'

const fields = z.strictObject({ name: schemas.deviceName.default('Authenticator') })

/** `POST /auth/register-secret/` */
export const registerSecret: Route<typeof fields> = {
  method: 'POST',
  path: '/auth/register-secret/',
  access: 'login-or-session',
  summary: 'Begin to set up an authenticator',
  description:
    'Makes a secret and shows it this once. It works after its first code came to POST /auth/verify/ or POST /auth/authenticate/.',
  body: fields,
  answers: {
    200: { description: 'The secret, as text, link and picture.', schema: schemas.enrolmentBody },
    400: { description: 'A field is malformed.', schema: schemas.errorBody },
    401: { description: 'Nobody is logged in.', schema: schemas.errorBody },
    403: { description: 'A fresh proof is needed.', schema: schemas.errorBody },
    409: { description: 'The user has as many devices as may be.', schema: schemas.errorBody },
    ...storageError,
  },
  async handle({ fields: { name }, session, loginToken, caller }, { services }): Promise<Answer> {
    const outcome = await begin(services, { loginToken, session }, { name, caller })
    switch (outcome.kind) {
      case 'begun':
        return ok({
          shared_secret: encodeBase32(outcome.key),
          otpauth_uri: outcome.uri,
          qr_svg: qrSvg(outcome.uri),
          expires_in: outcome.lifetime,
        })
      case 'stale':
        return stale()
      case 'not-awaited':
        return notSignedIn()
      case 'too-many':
        return failure(
          409,
          'too_many_devices',
          `You have ${outcome.maximum} devices, and more are not possible. Remove one first.`,
        )
    }
  },
}

/** A login that waits for it goes before a session that this browser may hold as well. */
async function begin(
  services: Edge['services'],
  { loginToken, session }: Pick<ApiRequest<unknown>, 'loginToken' | 'session'>,
  input: { readonly name: string; readonly caller: Caller },
): Promise<BeginEnrolmentOutcome> {
  const byLogin = loginToken && (await beginEnrolment(services, { loginToken }, input))
  if (byLogin !== undefined && byLogin.kind !== 'not-awaited') return byLogin
  return session === undefined ? { kind: 'not-awaited' } : beginEnrolment(services, { session }, input)
}
