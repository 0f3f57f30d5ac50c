import { z } from 'zod'
import { finishSetup } from '../../actions/finish-setup.ts'
import type { Answer } from '../answer.ts'
import type { Edge } from '../endpoint.ts'
import { pageAnswer } from '../page.ts'
import { type PageRequest, pageRoute } from '../page-endpoint.ts'
import { passwordSentence, usernameSentence } from '../pages/problems.ts'
import { linkRefusedPage, setupPage, type WelcomeErrors } from '../pages/welcome-pages.ts'
import * as fields from './fields.ts'
import { advanced } from './signed-in.ts'

/** `GET /setup`: shows the form and nothing else, so that whoever scans the link changes nothing. */
export const showSetup = pageRoute({
  method: 'GET',
  path: '/setup',
  access: 'anybody',
  handle: (request, edge) => ask(request, edge, undefined, {}, 200),
})

const setupFields = z.strictObject({
  code: fields.text,
  username: fields.text,
  display_name: fields.text.default(''),
  password: fields.text,
})

/** `POST /setup`: makes the first superuser, who then sets up a one-time code. */
export const finish = pageRoute({
  method: 'POST',
  path: '/setup',
  access: 'anybody',
  fields: setupFields,
  async handle(request, edge) {
    const given = request.fields
    const { t } = request.view
    const again = (errors: WelcomeErrors, status = 422) => ask(request, edge, given, errors, status)
    const code = fields.linkCode(given.code)
    if (code === undefined) return refused(request, t.login.setup.refused)
    if (given.password === '') return again({ password: t.login.needed })
    if (!fields.isPassword(given.password)) return again({ password: t.login.passwordProblems.tooLong })
    const { username, display_name: displayName, password } = given
    const outcome = await finishSetup(
      edge.services,
      { code, username, displayName, password },
      request.caller,
    )
    switch (outcome.kind) {
      case 'signed-in':
      case 'continue':
        return advanced(request, edge, outcome, undefined)
      case 'no-such-setup':
        return refused(request, t.login.setup.refused)
      case 'done-already':
        return refused(request, t.login.setup.done)
      case 'unsuitable-username':
        return again({ username: usernameSentence(t, outcome.problem) })
      case 'unsuitable-display-name':
        return again({ displayName: t.login.usernameProblems.displayName })
      case 'unsuitable-password':
        return again({ password: passwordSentence(t, outcome.problem) })
      case 'busy':
        return again({ problem: t.common.busy }, 503)
    }
  },
})

function ask(
  { view }: PageRequest,
  { services }: Edge,
  given: z.output<typeof setupFields> | undefined,
  errors: WelcomeErrors,
  status: number,
): Promise<Answer> {
  const known = given && { code: given.code, username: given.username, displayName: given.display_name }
  // A superuser always has a code beside the password.
  const minimum = services.policy.password.minimumLength
  return pageAnswer(view, setupPage(view, { ...known, minimum, errors }), { status })
}

const refused = ({ view }: PageRequest, sentence: string): Promise<Answer> =>
  pageAnswer(view, linkRefusedPage(view, sentence), { status: 422 })
