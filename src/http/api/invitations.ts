import { z } from 'zod'
import { acceptInvitation } from '../../actions/accept-invitation.ts'
import { finishSetup } from '../../actions/finish-setup.ts'
import { parseToken } from '../../domain/token.ts'
import { explainUsername } from '../../domain/user.ts'
import { type Answer, busy, failure } from '../answer.ts'
import type { Route } from '../endpoint.ts'
import { displayName } from './admin-schemas.ts'
import { unsuitableDisplayName } from './admin-users.ts'
import { unsuitablePassword } from './credentials.ts'
import * as schemas from './schemas.ts'
import { advancedAnswer } from './sign-in-answers.ts'

const code = z.string().max(64, 'is too long.').describe('What stands behind the # of the link.')

const acceptFields = z.strictObject({ code, password: schemas.password })

/** `POST /auth/invitation/` */
export const useInvitation: Route<typeof acceptFields> = {
  method: 'POST',
  path: '/auth/invitation/',
  access: 'anybody',
  summary: 'Choose a password by an invitation',
  description:
    'Uses the link up, ends what was open, and begins a login; a second factor is still asked for.',
  body: acceptFields,
  answers: {
    200: {
      description: 'The password is set; `next` names the step that is due.',
      schema: schemas.signInBody,
    },
    404: { description: 'The link was used, replaced, or is over.', schema: schemas.errorBody },
    400: { description: 'A field is malformed, or may not be chosen.', schema: schemas.errorBody },
  },
  async handle({ fields, caller }, edge): Promise<Answer> {
    const token = parseToken(fields.code)
    if (token === undefined) return invitationOver()
    const outcome = await acceptInvitation(edge.services, { code: token, password: fields.password }, caller)
    switch (outcome.kind) {
      case 'signed-in':
      case 'continue':
        return advancedAnswer(edge, outcome, 'The password is set')
      case 'no-such-invitation':
        return invitationOver()
      case 'unsuitable':
        return unsuitablePassword(outcome.problem)
      case 'busy':
        return busy()
    }
  },
}

const invitationOver = () =>
  failure(404, 'invitation_over', 'This link was used, replaced, or is over. Ask for a new one.')

const setupFields = z.strictObject({
  code,
  username: schemas.username,
  display_name: displayName.default(''),
  password: schemas.password,
})

/** `POST /auth/setup/` */
export const setUp: Route<typeof setupFields> = {
  method: 'POST',
  path: '/auth/setup/',
  access: 'anybody',
  summary: 'Make the first superuser',
  description: 'With the code that the server prints at its start while there is no user; begins a login.',
  body: setupFields,
  answers: {
    200: { description: 'Made; `next` names the step that is due.', schema: schemas.signInBody },
    404: {
      description: 'The code was replaced or is over; starting again prints a new one.',
      schema: schemas.errorBody,
    },
    409: { description: 'There is a user already.', schema: schemas.errorBody },
    400: { description: 'A field is malformed, or may not be chosen.', schema: schemas.errorBody },
  },
  async handle({ fields, caller }, edge): Promise<Answer> {
    const token = parseToken(fields.code)
    if (token === undefined) return setupOver()
    const { username, display_name: displayName, password } = fields
    const input = { code: token, username, displayName, password }
    const outcome = await finishSetup(edge.services, input, caller)
    switch (outcome.kind) {
      case 'signed-in':
      case 'continue':
        return advancedAnswer(edge, outcome, 'The first user is made')
      case 'no-such-setup':
        return setupOver()
      case 'done-already':
        return failure(409, 'setup_done', 'There is a user already. Sign in.')
      case 'unsuitable-username':
        return failure(400, 'invalid_request', explainUsername(outcome.problem))
      case 'unsuitable-display-name':
        return unsuitableDisplayName()
      case 'unsuitable-password':
        return unsuitablePassword(outcome.problem)
      case 'busy':
        return busy()
    }
  },
}

const setupOver = () =>
  failure(404, 'setup_over', 'This address is over. Start the server again, and it prints a new one.')
