import { z } from 'zod'
import { byAdmin } from '../../actions/allow.ts'
import { findThrottled } from '../../actions/find-throttled.ts'
import { inviteNewUser } from '../../actions/invite-new-user.ts'
import { inviteUser } from '../../actions/invite-user.ts'
import { expiryOf, isAlive } from '../../domain/session.ts'
import { explainUsername, type UserId } from '../../domain/user.ts'
import { type ListedUser, listUsers } from '../../store/views/list-users.ts'
import { findShownUser, type ShownUser } from '../../store/views/show-user.ts'
import { type Answer, failure, notFound, notSignedIn, ok } from '../answer.ts'
import type { Edge, Route } from '../endpoint.ts'
import { adminErrors, conflictError, invitationAnswer, refusalAnswer, unknownError } from './admin-answers.ts'
import { groupAnswer } from './admin-groups.ts'
import * as admin from './admin-schemas.ts'
import { shownAppPassword } from './app-password-body.ts'
import { shownCodeWindow } from './code-windows.ts'
import * as schemas from './schemas.ts'

type UsersQuery = typeof admin.usersQuery

/** `GET /auth/admin/users/` */
export const listAllUsers: Route<z.ZodType, UsersQuery> = {
  method: 'GET',
  path: '/auth/admin/users/',
  access: 'admin',
  summary: 'Users',
  description: 'In the order of their names, a part at a time.',
  query: admin.usersQuery,
  answers: {
    200: {
      description: '`next` is what to give as `after`, or null at the end.',
      schema: z.strictObject({ users: z.array(admin.listedUser), next: z.string().nullable() }),
    },
    ...adminErrors,
  },
  async handle({ query }, { services }) {
    const { filter, not_seen_since: notSeenSince, ...rest } = query
    const chosen = filter === 'throttled' ? { ids: await findThrottled(services) } : { filter }
    const { users, more } = await listUsers(services.db, { ...rest, ...chosen, notSeenSince })
    return ok({ users: users.map(listedUser), next: more ? (users.at(-1)?.username ?? null) : null })
  },
}

const listedUser = (user: ListedUser): z.input<typeof admin.listedUser> => ({
  id: user.id,
  username: user.username,
  display_name: user.displayName,
  is_superuser: user.isSuperuser,
  disabled: user.disabled,
  has_password: user.hasPassword,
  has_usable_device: user.hasUsableDevice,
  created_at: user.createdAt,
  last_sign_in_at: user.lastSignInAt ?? null,
})

/** `GET /auth/admin/users/{id}/` */
export const showAnyUser: Route = {
  method: 'GET',
  path: '/auth/admin/users/:id/',
  access: 'admin',
  summary: 'One user',
  description: 'With groups, devices and sessions; never a secret.',
  answers: { 200: { description: 'The user.', schema: admin.shownUser }, ...adminErrors, ...unknownError },
  async handle({ id }, edge) {
    const { services } = edge
    // An identifier of the path has the form of one; whether it is a user's, the store knows.
    const user = await findShownUser(services.db, { id: id as UserId }, services.now())
    return user === undefined ? notFound() : ok(shownUser(edge, user))
  },
}

function shownUser({ services }: Edge, user: ShownUser): z.input<typeof admin.shownUser> {
  const rules = services.policy.session
  const { resetRequest } = user
  return {
    id: user.id,
    username: user.username,
    display_name: user.displayName,
    is_superuser: user.isSuperuser,
    has_second_factor: user.hasSecondFactor,
    created_at: user.createdAt,
    disabled_at: user.disabledAt ?? null,
    last_sign_in_at: user.lastSignInAt ?? null,
    password_changed_at: user.passwordChangedAt ?? null,
    must_change_password: user.mustChangePassword,
    invited_until: user.invitedUntil ?? null,
    reset_requested: resetRequest
      ? { by: resetRequest.requestedBy, at: resetRequest.requestedAt, expires_at: resetRequest.expiresAt }
      : null,
    groups: [...user.groups],
    devices: user.devices.map((device) => ({
      id: device.id,
      type: device.kind,
      name: device.name,
      created_at: device.createdAt,
      last_used_at: device.lastUsedAt ?? null,
      disabled: device.disabled,
    })),
    enrolment_pending: user.enrolmentPending,
    recovery_codes_left: user.recoveryCodesLeft,
    app_passwords: user.appPasswords.map(shownAppPassword),
    code_windows: user.codeWindows.map(shownCodeWindow),
    sessions: user.sessions
      .filter((session) => isAlive(session, rules, services.now()))
      .map((session) => ({
        id: session.id,
        amr: [...session.amr],
        auth_time: session.authTime,
        created_at: session.createdAt,
        last_seen_at: session.lastSeenAt,
        expires_at: expiryOf(session, rules),
        address: session.address,
        user_agent: session.userAgent,
      })),
  }
}

const newUserFields = z.strictObject({
  username: schemas.username,
  display_name: admin.displayName.default(''),
  groups: admin.groupNames.default([]),
})

/** `POST /auth/admin/users/` */
export const inviteNew: Route<typeof newUserFields> = {
  method: 'POST',
  path: '/auth/admin/users/',
  access: 'admin',
  summary: 'Make a user',
  description:
    'Without a password: the link is for the user to choose one. Superusers are made at the command line.',
  body: newUserFields,
  answers: {
    200: { description: 'Made.', schema: admin.invitationBody },
    ...adminErrors,
    ...unknownError,
    ...conflictError,
  },
  async handle({ fields, session, caller }, edge): Promise<Answer> {
    if (session === undefined) return notSignedIn()
    const user = { username: fields.username, displayName: fields.display_name, groups: fields.groups }
    const outcome = await inviteNewUser(edge.services, user, { admin: session, caller })
    switch (outcome.kind) {
      case 'invited':
        return invitationAnswer(edge, outcome.invitation, outcome.id)
      case 'username-taken':
        return failure(409, 'username_taken', 'There is a user of that name already.')
      case 'no-such-group':
        return groupAnswer(outcome)
      case 'unsuitable-username':
        return failure(400, 'invalid_request', explainUsername(outcome.problem))
      case 'unsuitable-display-name':
        return unsuitableDisplayName()
      case 'not-admin':
      case 'stale':
      case 'own-account':
        return refusalAnswer(outcome)
    }
  },
}

export const unsuitableDisplayName = (): Answer =>
  failure(400, 'invalid_request', 'A display name has 1 to 128 characters, none of them invisible.')

/** `POST /auth/admin/users/{id}/invitation/` */
export const inviteAgain: Route = {
  method: 'POST',
  path: '/auth/admin/users/:id/invitation/',
  access: 'admin',
  summary: 'Let a user choose a password anew',
  description: 'A link that works once; an earlier one works no more. The second factor stays as it is.',
  answers: {
    200: { description: 'The link.', schema: admin.invitationBody },
    ...adminErrors,
    ...unknownError,
    ...conflictError,
  },
  async handle({ id, session, caller }, edge): Promise<Answer> {
    if (session === undefined) return notSignedIn()
    const who = { id: id as UserId } // Of the path; whether it is a user's, the store knows.
    const outcome = await byAdmin(inviteUser(edge.services, who, { admin: session, caller }))
    switch (outcome.kind) {
      case 'invited':
        return invitationAnswer(edge, outcome.invitation, id)
      case 'no-such-user':
        return notFound()
      case 'disabled':
        return failure(409, 'user_disabled', 'The user is disabled. Enable the user first.')
      case 'needs-operator':
        return failure(409, 'operator_required', 'The password of a superuser is reset at the command line.')
      case 'not-admin':
      case 'stale':
      case 'own-account':
        return refusalAnswer(outcome)
    }
  },
}
