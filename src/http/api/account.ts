import { z } from 'zod'
import { changePassword } from '../../actions/change-password.ts'
import { endOtherSessions } from '../../actions/end-other-sessions.ts'
import { endSession } from '../../actions/end-session.ts'
import { makeRecoveryCodes } from '../../actions/make-recovery-codes.ts'
import { removeDevice } from '../../actions/remove-device.ts'
import { renameDevice } from '../../actions/rename-device.ts'
import { replaceExpiredPassword } from '../../actions/replace-expired-password.ts'
import { explainPassword, type PasswordProblem } from '../../domain/password/policy.ts'
import { expiryOf } from '../../domain/session.ts'
import { ownDevices, ownSessions, recoveryCodesLeft } from '../../store/views/own-account.ts'
import {
  type Answer,
  busy,
  failure,
  notFound,
  notSignedIn,
  ok,
  stale,
  superseded,
  throttled,
} from '../answer.ts'
import type { Route } from '../endpoint.ts'
import * as schemas from './schemas.ts'
import { advancedAnswer, renewedAnswer } from './sign-in-answers.ts'

const ownErrors = {
  401: { description: 'Nobody is signed in.', schema: schemas.errorBody },
  503: { description: 'The storage is unavailable; nothing was changed.', schema: schemas.errorBody },
} as const
const freshError = { 403: { description: 'A fresh proof is needed.', schema: schemas.errorBody } } as const
const notFoundError = {
  404: { description: 'There is none of yours by this id.', schema: schemas.errorBody },
} as const
const renewedBody = schemas.sessionBody.extend({ message: z.string() })

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
  async handle({ fields, session, parameter, caller }, { services }) {
    if (session === undefined) return notSignedIn()
    const outcome = await renameDevice(services, session, { id: parameter('id'), name: fields.name, caller })
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
    200: { description: 'Removed; the session goes on under a new token.', schema: renewedBody },
    409: { description: 'It is the last one, or the account changed meanwhile.', schema: schemas.errorBody },
    ...ownErrors,
    ...freshError,
    ...notFoundError,
  },
  async handle({ session, parameter, caller }, edge): Promise<Answer> {
    if (session === undefined) return notSignedIn()
    const outcome = await removeDevice(edge.services, session, { id: parameter('id'), caller })
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

/** `GET /auth/sessions/` */
export const listSessions: Route = {
  method: 'GET',
  path: '/auth/sessions/',
  access: 'session',
  summary: 'Own sessions',
  description: 'Where the user is signed in, by handles that open nothing.',
  answers: {
    200: { description: 'Latest first.', schema: z.strictObject({ sessions: z.array(schemas.ownSession) }) },
    ...ownErrors,
  },
  async handle({ session: current }, { services }) {
    if (current === undefined) return notSignedIn()
    const rules = services.policy.session
    const sessions = await ownSessions(services.db, current.user.id, rules, services.now())
    return ok({
      sessions: sessions.map((session) => ({
        id: session.id,
        current: session.id === current.session.id,
        amr: session.amr,
        auth_time: session.authTime,
        created_at: session.createdAt,
        last_seen_at: session.lastSeenAt,
        expires_at: expiryOf(session, rules),
        address: session.address,
        user_agent: session.userAgent,
      })),
    })
  },
}

/** `DELETE /auth/sessions/{id}/` */
export const endOwnSession: Route = {
  method: 'DELETE',
  path: '/auth/sessions/:id/',
  access: 'session',
  summary: 'End a session',
  description: 'Ends one of the user’s own sessions.',
  answers: {
    200: { description: 'Ended.', schema: schemas.messageBody },
    ...ownErrors,
    ...freshError,
    ...notFoundError,
  },
  async handle({ session, parameter, caller }, { services, cookies }): Promise<Answer> {
    if (session === undefined) return notSignedIn()
    const id = parameter('id')
    const outcome = await endSession(services, session, { id, caller })
    switch (outcome.kind) {
      case 'ended':
        return ok({ message: 'Ended' }, id === session.session.id ? [cookies.clear('session')] : [])
      case 'not-found':
        return notFound()
      case 'stale':
        return stale()
    }
  },
}

/** `DELETE /auth/sessions/` */
export const endOtherOwnSessions: Route = {
  method: 'DELETE',
  path: '/auth/sessions/',
  access: 'session',
  summary: 'End all other sessions',
  description: 'Ends every session of the user but this one.',
  answers: {
    200: {
      description: 'Ended.',
      schema: z.strictObject({ message: z.string(), ended: z.int().describe('How many.') }),
    },
    ...ownErrors,
    ...freshError,
  },
  async handle({ session, caller }, { services }): Promise<Answer> {
    if (session === undefined) return notSignedIn()
    const outcome = await endOtherSessions(services, session, caller)
    return outcome.kind === 'ended' ? ok({ message: 'Ended', ended: outcome.count }) : stale()
  },
}

/** `GET /auth/recovery-codes/` */
export const countRecoveryCodes: Route = {
  method: 'GET',
  path: '/auth/recovery-codes/',
  access: 'session',
  summary: 'How many recovery codes are left',
  description: 'The codes themselves are shown only when they are made.',
  answers: {
    200: { description: 'How many.', schema: z.strictObject({ remaining: z.int() }) },
    ...ownErrors,
  },
  async handle({ session }, { services }) {
    if (session === undefined) return notSignedIn()
    return ok({ remaining: await recoveryCodesLeft(services.db, session.user.id, services.now()) })
  },
}

/** `POST /auth/recovery-codes/` */
export const makeOwnRecoveryCodes: Route = {
  method: 'POST',
  path: '/auth/recovery-codes/',
  access: 'session',
  summary: 'Make recovery codes',
  description: 'Makes ten codes and shows them this once; the former set works no more.',
  answers: {
    200: { description: 'The codes.', schema: schemas.recoveryCodesBody },
    ...ownErrors,
    ...freshError,
  },
  async handle({ session, caller }, { services }): Promise<Answer> {
    if (session === undefined) return notSignedIn()
    const outcome = await makeRecoveryCodes(services, session, caller)
    switch (outcome.kind) {
      case 'made':
        return ok({ recovery_codes: outcome.codes })
      case 'stale':
        return stale()
      case 'busy':
        return busy()
    }
  },
}

const passwordFields = z.strictObject({
  current_password: schemas.password.optional().describe('Needed with a session, not in a login.'),
  new_password: schemas.password,
})

/** `POST /auth/password/` */
export const changeOwnPassword: Route<typeof passwordFields> = {
  method: 'POST',
  path: '/auth/password/',
  access: 'login-or-session',
  summary: 'Change the password',
  description:
    'With a fresh session and the current password; or as the last step of a login that waits for a new password.',
  body: passwordFields,
  answers: {
    200: {
      description: 'Changed; other sessions were ended.',
      schema: z.union([renewedBody, schemas.signInBody]),
    },
    400: {
      description: 'The current password is wrong, or the new one is not suitable.',
      schema: schemas.errorBody,
    },
    409: { description: 'The account changed meanwhile.', schema: schemas.errorBody },
    429: { description: 'Too many attempts.', schema: schemas.throttledBody },
    ...ownErrors,
    ...freshError,
  },
  async handle({ fields, session, loginToken, caller }, edge): Promise<Answer> {
    const { current_password: current, new_password: next } = fields
    if (session === undefined) {
      if (loginToken === undefined) return notSignedIn()
      const outcome = await replaceExpiredPassword(edge.services, { loginToken, next }, caller)
      switch (outcome.kind) {
        case 'signed-in':
        case 'continue':
          return advancedAnswer(edge, outcome, 'Password changed')
        case 'not-awaited':
          return notSignedIn()
        case 'unsuitable':
          return unsuitable(outcome.problem)
        case 'busy':
          return busy()
      }
    }
    if (current === undefined) return failure(400, 'invalid_request', 'current_password: is needed, as text.')
    const outcome = await changePassword(edge.services, session, { current, next, caller })
    switch (outcome.kind) {
      case 'changed':
        return renewedAnswer(edge, outcome, 'Password changed. Your other sessions were ended.')
      case 'wrong-password':
        return failure(400, 'wrong_password', 'The current password is not right.')
      case 'unsuitable':
        return unsuitable(outcome.problem)
      case 'stale':
        return stale()
      case 'throttled':
        return throttled(outcome.wait)
      case 'busy':
        return busy()
      case 'superseded':
        return superseded()
    }
  },
}

const unsuitable = (problem: PasswordProblem) =>
  failure(400, `password_${problem.kind.replace('-', '_')}`, explainPassword(problem))
