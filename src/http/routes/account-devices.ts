import { z } from 'zod'
import { removeDevice } from '../../actions/remove-device.ts'
import { renameDevice } from '../../actions/rename-device.ts'
import { DEVICE_NAME_MAXIMUM, label } from '../../domain/label.ts'
import type { SessionWithUser } from '../../domain/session.ts'
import { ownDevices } from '../../store/views/own-account.ts'
import type { Answer } from '../answer.ts'
import type { Edge } from '../endpoint.ts'
import { pageAnswer, redirect } from '../page.ts'
import { type PageRequest, pageRoute } from '../page-endpoint.ts'
import { type DevicesProps, devicesPage } from '../pages/account-devices-page.ts'
import { done, idField, noticeQuery, proveFirst, viewAt } from './account-visit.ts'
import * as fields from './fields.ts'

export const DEVICES = '/account/devices'

/** `GET /account/devices` */
export const showDevices = pageRoute({
  method: 'GET',
  path: DEVICES,
  access: 'session',
  query: noticeQuery,
  async handle(request, edge) {
    const { session, query } = request
    if (session === undefined) return redirect('/login')
    return devicesAnswer(request, edge, session, { told: query })
  },
})

/** `POST /account/devices/rename` */
export const renameOwnDevice = pageRoute({
  method: 'POST',
  path: '/account/devices/rename',
  access: 'session',
  fields: z.strictObject({ id: idField, name: fields.text }),
  async handle(request, edge) {
    const { session, caller, view } = request
    if (session === undefined) return redirect('/login')
    const { devices } = view.t.account
    const { id, name: typed } = request.fields
    const name = label(typed, DEVICE_NAME_MAXIMUM)
    if (name === undefined) {
      const fault = { form: 'rename', id, typed, error: devices.nameProblem } as const
      return devicesAnswer(request, edge, session, { fault, status: 422 })
    }
    const outcome = await renameDevice(edge.services, session, { id, name, caller })
    switch (outcome.kind) {
      case 'renamed':
        return done(DEVICES, 'device-renamed')
      case 'not-found':
        return devicesAnswer(request, edge, session, { told: { problem: devices.gone }, status: 404 })
    }
  },
})

/** `POST /account/devices/remove` */
export const removeOwnDevice = pageRoute({
  method: 'POST',
  path: '/account/devices/remove',
  access: 'session',
  fields: z.strictObject({ id: idField }),
  async handle(request, edge) {
    const { session, caller, view } = request
    if (session === undefined) return redirect('/login')
    const { devices } = view.t.account
    const { id } = request.fields
    const outcome = await removeDevice(edge.services, session, { id, caller })
    switch (outcome.kind) {
      case 'removed':
        return done(DEVICES, 'device-removed', [edge.cookies.set('session', outcome.sessionToken)])
      case 'not-found':
        return devicesAnswer(request, edge, session, { told: { problem: devices.gone }, status: 404 })
      case 'stale':
        return proveFirst(DEVICES)
      case 'last-one': {
        const fault = { form: 'remove', id, error: devices.lastOne } as const
        return devicesAnswer(request, edge, session, { fault, status: 422 })
      }
      case 'superseded':
        return done(DEVICES, 'superseded')
    }
  },
})

/** The list of one's own devices, with whatever is to be said about it. */
export async function devicesAnswer(
  { view }: PageRequest,
  { services }: Edge,
  { user }: SessionWithUser,
  {
    told = {},
    fault,
    status = 200,
  }: Partial<Pick<DevicesProps, 'told' | 'fault'>> & { readonly status?: number },
): Promise<Answer> {
  const devices = await ownDevices(services.db, user.id)
  const shown = viewAt(view, DEVICES)
  return pageAnswer(shown, devicesPage(shown, { told, devices, fault }), { status })
}
