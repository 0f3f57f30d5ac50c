import { z } from 'zod'
import { removeDevice } from '../../actions/remove-device.ts'
import { renameDevice } from '../../actions/rename-device.ts'
import { ownDevices } from '../../store/views/own-account.ts'
import { type Answer, failure, notFound, notSignedIn, ok, stale, superseded } from '../answer.ts'
import type { Route } from '../endpoint.ts'
import { freshError, notFoundError, ownErrors } from './account-errors.ts'
import * as schemas from './schemas.ts'
import { renewedAnswer } from './sign-in-answers.ts'

/** `GET /auth/devices/` */
export const listDevices: Route = {
  method: 'GET',
  path: '/auth/devices/',
  access: 'session',
  summary: 'Own devices',
  description: 'The authenticators of the user, without their secrets.',
  answers: {
    200: { description: 'Oldest first.', schema: z.strictObject({ devices: z.array(schemas.device) }) },
    ...ownErrors,
  },
  async handle({ session }, { services }) {
    if (session === undefined) return notSignedIn()
    const devices = await ownDevices(services.db, session.user.id)
    return ok({
      devices: devices.map((device) => ({
        id: device.id,
        type: device.kind,
        name: device.name,
        created_at: device.createdAt,
        last_used_at: device.lastUsedAt ?? null,
        disabled: device.disabled,
      })),
    })
  },
}

const nameFields = z.strictObject({ name: schemas.deviceName })

/** `PATCH /auth/devices/{id}/` */
export const renameOwnDevice: Route<typeof nameFields> = {
  method: 'PATCH',
  path: '/auth/devices/:id/',
  access: 'session',
  summary: 'Rename a device',
  description: 'Gives one of the user’s own devices another name.',
  body: nameFields,
  answers: {
    200: { description: 'Renamed.', schema: schemas.messageBody },
    400: { description: 'The name is malformed.', schema: schemas.errorBody },
    ...ownErrors,
    ...notFoundError,
  },
  async handle({ fields, session, id, caller }, { services }) {
    if (session === undefined) return notSignedIn()
    const outcome = await renameDevice(services, session, { id, name: fields.name, caller })
    return outcome.kind === 'renamed' ? ok({ message: 'Renamed' }) : notFound()
  },
}

/** `DELETE /auth/devices/{id}/` */
export const removeOwnDevice: Route = {
  method: 'DELETE',
  path: '/auth/devices/:id/',
  access: 'session',
  summary: 'Remove a device',
  description:
    'Its codes work no more and every other session ends. The last one stays where one is demanded.',
  answers: {
    200: { description: 'Removed; the session goes on under a new token.', schema: schemas.renewedBody },
    409: { description: 'It is the last one, or the account changed meanwhile.', schema: schemas.errorBody },
    ...ownErrors,
    ...freshError,
    ...notFoundError,
  },
  async handle({ session, id, caller }, edge): Promise<Answer> {
    if (session === undefined) return notSignedIn()
    const outcome = await removeDevice(edge.services, session, { id, caller })
    switch (outcome.kind) {
      case 'removed':
        return renewedAnswer(edge, outcome, 'Removed. Your other sessions were ended.')
      case 'not-found':
        return notFound()
      case 'stale':
        return stale()
      case 'last-one':
        return failure(409, 'last_device', 'This is your last device. Set up its replacement first.')
      case 'superseded':
        return superseded()
    }
  },
}
