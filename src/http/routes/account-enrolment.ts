import { z } from 'zod'
import { beginEnrolment } from '../../actions/begin-enrolment.ts'
import { confirmEnrolment } from '../../actions/confirm-enrolment.ts'
import { makeRecoveryCodes } from '../../actions/make-recovery-codes.ts'
import type { Renewed } from '../../actions/renew-session.ts'
import { resumeSession } from '../../actions/resume-session.ts'
import { showEnrolment } from '../../actions/show-enrolment.ts'
import { DEVICE_NAME_MAXIMUM, label } from '../../domain/label.ts'
import type { SessionWithUser } from '../../domain/session.ts'
import { formKeyOf } from '../../domain/token.ts'
import { recoveryCodesLeft } from '../../store/views/own-account.ts'
import type { Answer } from '../answer.ts'
import type { Edge } from '../endpoint.ts'
import { pageAnswer, redirect } from '../page.ts'
import { type PageRequest, pageRoute } from '../page-endpoint.ts'
import { newDevicePage } from '../pages/account-devices-page.ts'
import { waitText } from '../pages/parts.ts'
import { recoveryCodesPage } from '../pages/recovery-codes-page.ts'
import { DEVICES, devicesAnswer } from './account-devices.ts'
import { done, proveFirst, retryAfter, viewAt } from './account-visit.ts'
import * as fields from './fields.ts'

const NEW_DEVICE = '/account/devices/new'

/** `POST /account/devices/add`: begins to set up another authenticator. */
export const addDevice = pageRoute({
  method: 'POST',
  path: '/account/devices/add',
  access: 'session',
  fields: z.strictObject({ name: fields.text.optional() }),
  async handle(request, edge) {
    const { session, caller, view } = request
    if (session === undefined) return redirect('/login')
    const { t } = view
    const { name: typed = '' } = request.fields
    const add = (error: string) =>
      devicesAnswer(request, edge, session, { fault: { form: 'add', typed, error }, status: 422 })
    const name = typed.trim() === '' ? t.login.enrol.deviceName : label(typed, DEVICE_NAME_MAXIMUM)
    if (name === undefined) return add(t.account.devices.nameProblem)
    const outcome = await beginEnrolment(edge.services, { session }, { name, caller })
    switch (outcome.kind) {
      case 'begun':
        return redirect(NEW_DEVICE)
      case 'stale':
        return proveFirst(DEVICES)
      case 'too-many':
        return add(t.login.enrol.tooMany(outcome.maximum))
      case 'not-awaited':
        return done(DEVICES, 'superseded')
    }
  },
})

/** `GET /account/devices/new`: the picture, also once more after a reload or a mistyped code. */
export const showNewDevice = pageRoute({
  method: 'GET',
  path: NEW_DEVICE,
  access: 'session',
  async handle(request, edge) {
    const { session } = request
    return session === undefined ? redirect('/login') : pendingAnswer(request, edge, session, {})
  },
})

/** `POST /account/devices/new`: the first code. */
export const confirmNewDevice = pageRoute({
  method: 'POST',
  path: NEW_DEVICE,
  access: 'session',
  fields: z.strictObject({ otp: fields.text }),
  async handle(request, edge) {
    const { session, caller, view } = request
    if (session === undefined) return redirect('/login')
    const { t } = view
    const outcome = await confirmEnrolment(edge.services, session, { code: request.fields.otp, caller })
    switch (outcome.kind) {
      case 'confirmed':
        return confirmed(request, edge, outcome)
      case 'wrong-code':
        return pendingAnswer(request, edge, session, { error: t.login.enrol.wrong, status: 422 })
      case 'throttled': {
        const problem = t.common.throttled(waitText(t, outcome.wait))
        const headers = retryAfter(outcome.wait)
        return pendingAnswer(request, edge, session, { problem, status: 429, headers })
      }
      case 'not-awaited':
        return done(DEVICES, 'setup-over')
      case 'superseded':
        return done(DEVICES, 'superseded')
    }
  },
})

async function pendingAnswer(
  { view }: PageRequest,
  { services }: Edge,
  session: SessionWithUser,
  {
    error,
    problem,
    ...answer
  }: { error?: string; problem?: string; status?: number; headers?: Readonly<Record<string, string>> },
): Promise<Answer> {
  const outcome = await showEnrolment(services, { session })
  switch (outcome.kind) {
    case 'pending':
      return pageAnswer(view, newDevicePage(view, { pending: outcome, error, problem }), answer)
    case 'stale':
      return proveFirst(DEVICES)
    case 'none':
    case 'not-awaited':
      return done(DEVICES, 'setup-over')
  }
}

/** With recovery codes for whoever has none: their first authenticator, or all were used. */
async function confirmed(
  request: PageRequest,
  edge: Edge,
  { sessionToken, user: { id } }: Renewed,
): Promise<Answer> {
  const { services, cookies } = edge
  const set = [cookies.set('session', sessionToken)]
  const finished = done(DEVICES, 'device-added', set)
  if ((await recoveryCodesLeft(services.db, id, services.now())) > 0) return finished
  const renewed = await resumeSession(services, sessionToken.token)
  const made = renewed && (await makeRecoveryCodes(services, renewed, request.caller))
  // Ended or too busy at this moment: the account page says that there are none.
  if (renewed === undefined || made?.kind !== 'made') return finished
  // Forms of the page belong to the session as it goes on.
  const view = {
    ...viewAt(request.view, DEVICES),
    formKey: formKeyOf(sessionToken.token),
    user: renewed.user,
  }
  const page = recoveryCodesPage(view, { codes: made.codes, returnTo: DEVICES })
  return pageAnswer(view, page, { cookies: set })
}
