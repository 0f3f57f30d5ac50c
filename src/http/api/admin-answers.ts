import type { Issued } from '../../actions/advance-login.ts'
import type { AdminRefusal } from '../../actions/allow.ts'
import { invitationLink } from '../../domain/invitation.ts'
import { type Answer, failure, ok, stale } from '../answer.ts'
import type { Edge } from '../endpoint.ts'
import { adminRequired } from '../guards/admin.ts'
import * as schemas from './schemas.ts'

/** What every route of administration may answer beside its own. */
export const adminErrors = {
  400: { description: 'A field or parameter is malformed.', schema: schemas.errorBody },
  401: { description: 'Nobody is signed in.', schema: schemas.errorBody },
  403: {
    description: 'Not an administrator, or administration is locked until a fresh proof.',
    schema: schemas.errorBody,
  },
} as const

/** Where the address names somebody or something. */
export const unknownError = {
  404: { description: 'There is none by this id or name.', schema: schemas.errorBody },
} as const

/** Where things may be as they are asked to be already, or may not be so. */
export const conflictError = {
  409: { description: 'It is so already, or may not be.', schema: schemas.errorBody },
} as const

/** The administrator may not do this. */
export function refusalAnswer(refusal: AdminRefusal): Answer {
  switch (refusal.kind) {
    case 'not-admin':
      return adminRequired()
    case 'stale':
      return stale()
    case 'own-account':
      return failure(409, 'own_account', 'Nobody does this to their own account here.')
  }
}

export const alreadySo = (sentence: string): Answer => failure(409, 'already_so', sentence)

/** The link that an administrator hands over, shown this once. */
export function invitationAnswer(
  { returnOrigins }: Pick<Edge, 'returnOrigins'>,
  invitation: Issued,
  userId: string,
): Answer {
  const link = invitationLink(returnOrigins.own, invitation.token)
  return ok({ user_id: userId, invitation_link: link, expires_in: invitation.lifetime })
}
