import { z } from 'zod'
import { acceptInvitation } from '../../actions/accept-invitation.ts'
import type { Answer } from '../answer.ts'
import type { Edge } from '../endpoint.ts'
import { pageAnswer } from '../page.ts'
import { type PageRequest, pageRoute } from '../page-endpoint.ts'
import { passwordSentence } from '../pages/problems.ts'
import { invitationPage, linkRefusedPage, type WelcomeErrors } from '../pages/welcome-pages.ts'
import * as fields from './fields.ts'
import { advanced } from './signed-in.ts'

/** `GET /invite`: shows the form and nothing else, so that a mail scanner that follows the link changes nothing. */
export const showInvitation = pageRoute({
  method: 'GET',
  path: '/invite',
  access: 'anybody',
  handle: (request, edge) => ask(request, edge, undefined, {}, 200),
})

/** `POST /invite`: sets the password that its user chose, and goes on to the second factor (SEC-REC-11). */
export const accept = pageRoute({
  method: 'POST',
  path: '/invite',
  access: 'anybody',
  fields: z.strictObject({ code: fields.text, new_password: fields.text }),
  async handle(request, edge) {
    const { code: typed, new_password: password } = request.fields
    const { t } = request.view
    const again = (errors: WelcomeErrors, status = 422) => ask(request, edge, typed, errors, status)
    const code = fields.linkCode(typed)
    if (code === undefined) return refused(request, t.login.invite.refused)
    if (password === '') return again({ password: t.login.needed })
    if (!fields.isPassword(password)) return again({ password: t.login.passwordProblems.tooLong })
    const outcome = await acceptInvitation(edge.services, { code, password }, request.caller)
    switch (outcome.kind) {
      case 'signed-in':
      case 'continue':
        return advanced(request, edge, outcome, undefined)
      case 'no-such-invitation':
        return refused(request, t.login.invite.refused)
      case 'unsuitable':
        return again({ password: passwordSentence(t, outcome.problem) })
      case 'busy':
        return again({ problem: t.common.busy }, 503)
    }
  },
})

function ask(
  { view }: PageRequest,
  { services }: Edge,
  code: string | undefined,
  errors: WelcomeErrors,
  status: number,
): Promise<Answer> {
  const { policy } = services
  const { minimumLength, minimumLengthAlone } = policy.password
  const minimum = policy.enrolment === 'required' ? minimumLength : minimumLengthAlone
  const page = invitationPage(view, { ...(code !== undefined && { code }), minimum, errors })
  return pageAnswer(view, page, { status })
}

const refused = ({ view }: PageRequest, sentence: string): Promise<Answer> =>
  pageAnswer(view, linkRefusedPage(view, sentence), { status: 422 })
