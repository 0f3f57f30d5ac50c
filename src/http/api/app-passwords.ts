import { z } from 'zod'
import { type AdminRefusal, byAdmin } from '../../actions/allow.ts'
import { makeAppPassword } from '../../actions/make-app-password.ts'
import {
  type RevokeAppPasswordOutcome,
  revokeAppPassword,
  revokeAppPasswordOf,
} from '../../actions/revoke-app-password.ts'
import { policiesToOffer } from '../../domain/app-password.ts'
import { ownAppPasswords } from '../../store/views/own-account.ts'
import { type Answer, failure, notFound, notSignedIn, ok, stale } from '../answer.ts'
import type { Route } from '../endpoint.ts'
import { freshError, notFoundError, ownErrors } from './account-errors.ts'
import { adminErrors, conflictError, refusalAnswer, unknownError } from './admin-answers.ts'
import { shownAppPassword } from './app-password-body.ts'
import * as schemas from './schemas.ts'

const listBody = z.strictObject({
  app_passwords: z.array(schemas.appPassword),
  policies: z.array(z.string()).describe('Those that one would open to this user.'),
  longest_days: z.int().describe('Longest life of one; 0 for no limit.'),
})

/** `GET /auth/app-passwords/` */
export const listAppPasswords: Route = {
  method: 'GET',
  path: '/auth/app-passwords/',
  access: 'session',
  summary: 'Own app passwords',
  description: 'What programs such as git sign in with, without the secrets.',
  answers: { 200: { description: 'Oldest first.', schema: listBody }, ...ownErrors },
  async handle({ session }, { services }) {
    if (session === undefined) return notSignedIn()
    const owned = await ownAppPasswords(services.db, session.user.id)
    return ok({
      app_passwords: owned.map(shownAppPassword),
      policies: policiesToOffer(services.policy, {
        ...session.user,
        groups: session.groups,
        amr: session.session.amr,
      }),
      longest_days: services.policy.appPasswords.longestDays,
    } satisfies z.input<typeof listBody>)
  },
}

const newFields = z.strictObject({
  name: schemas.deviceName,
  /** As text, so that a form can say it as well. */
  policies: z
    .string()
    .max(4096, 'is too long.')
    .transform((text) => text.split(',').filter((name) => name !== ''))
    .describe('Names of policies, separated by commas.'),
  days: z
    .string()
    .max(4, 'is too long.')
    .regex(/^\d+$/, 'must be a whole number.')
    .transform(Number)
    .optional()
    .describe('How many days it lasts, as text; without it as long as the settings allow.'),
})

const madeBody = z.strictObject({
  message: z.string(),
  id: z.string(),
  app_password: z.string().describe('Shown this once.'),
  expires_at: schemas.seconds.nullable(),
})

/** `POST /auth/app-passwords/` */
export const makeOwnAppPassword: Route<typeof newFields> = {
  method: 'POST',
  path: '/auth/app-passwords/',
  access: 'session',
  summary: 'Make an app password',
  description:
    'For programs that cannot ask for a code; it opens the named policies only, never the account or this API.',
  body: newFields,
  answers: {
    200: { description: 'Made; the secret is shown this once.', schema: madeBody },
    400: { description: 'A field is malformed or may not be so.', schema: schemas.errorBody },
    409: { description: 'There are too many.', schema: schemas.errorBody },
    ...ownErrors,
    ...freshError,
  },
  async handle({ fields, session, caller }, { services }): Promise<Answer> {
    if (session === undefined) return notSignedIn()
    const { name, policies, days } = fields
    const outcome = await makeAppPassword(services, session, { wanted: { name, policies, days }, caller })
    switch (outcome.kind) {
      case 'made':
        return ok({
          message: 'Made',
          id: outcome.id,
          app_password: outcome.appPassword,
          expires_at: outcome.expiresAt ?? null,
        } satisfies z.input<typeof madeBody>)
      case 'unsuitable-name':
        return failure(400, 'invalid_request', 'name: must have 1 to 64 characters, none of them invisible.')
      case 'unsuitable-policy':
        return failure(
          400,
          'no_such_policy',
          'Name at least one policy, and only such as take app passwords.',
        )
      case 'unsuitable-lifetime':
        return failure(400, 'lifetime_not_allowed', 'An app password may not last that long.')
      case 'too-many':
        return failure(
          409,
          'too_many_app_passwords',
          `You may have ${outcome.maximum} app passwords. Revoke one first.`,
        )
      case 'stale':
        return stale()
    }
  },
}

/** `DELETE /auth/app-passwords/{id}/` */
export const revokeOwnAppPassword: Route = {
  method: 'DELETE',
  path: '/auth/app-passwords/:id/',
  access: 'session',
  summary: 'Revoke an app password',
  description: 'Whatever uses it is refused from its next request on.',
  answers: {
    200: { description: 'Revoked.', schema: schemas.messageBody },
    ...ownErrors,
    ...notFoundError,
  },
  async handle({ session, id, caller }, { services }) {
    if (session === undefined) return notSignedIn()
    return revokedAnswer(await revokeAppPassword(services, session, { id, caller }))
  },
}

/** `DELETE /auth/admin/app-passwords/{id}/` */
export const revokeAnyAppPassword: Route = {
  method: 'DELETE',
  path: '/auth/admin/app-passwords/:id/',
  access: 'admin',
  summary: 'Revoke an app password of anybody',
  description: 'Whatever uses it is refused from its next request on.',
  answers: {
    200: { description: 'Revoked.', schema: schemas.messageBody },
    ...adminErrors,
    ...unknownError,
    ...conflictError,
  },
  async handle({ session, id, caller }, { services }) {
    if (session === undefined) return notSignedIn()
    return revokedAnswer(await byAdmin(revokeAppPasswordOf(services, id, { admin: session, caller })))
  },
}

function revokedAnswer(outcome: RevokeAppPasswordOutcome | AdminRefusal): Answer {
  switch (outcome.kind) {
    case 'revoked':
      return ok({ message: 'Revoked' })
    case 'not-found':
      return notFound()
    case 'not-admin':
    case 'stale':
    case 'own-account':
      return refusalAnswer(outcome)
  }
}
