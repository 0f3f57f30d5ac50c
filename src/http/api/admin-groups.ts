import { z } from 'zod'
import { type AdminRefusal, byAdmin } from '../../actions/allow.ts'
import { type ChangeGroupOutcome, changeGroup } from '../../actions/change-group.ts'
import type { UserId } from '../../domain/user.ts'
import { listGroups } from '../../store/views/list-groups.ts'
import { type Answer, failure, notFound, notSignedIn, ok } from '../answer.ts'
import type { Route } from '../endpoint.ts'
import { adminErrors, alreadySo, conflictError, refusalAnswer, unknownError } from './admin-answers.ts'
import * as admin from './admin-schemas.ts'
import * as schemas from './schemas.ts'

const changeAnswers = {
  200: { description: 'Done.', schema: schemas.messageBody },
  ...adminErrors,
  ...unknownError,
  ...conflictError,
} as const

/** What became of a change to a group. */
export function groupAnswer(
  outcome: ChangeGroupOutcome | AdminRefusal | { readonly kind: 'no-such-group'; readonly group: string },
): Answer {
  switch (outcome.kind) {
    case 'changed':
      return ok({ message: 'Done' })
    case 'already-so':
      return alreadySo('It is so already.')
    case 'no-such-group':
      return failure(404, 'no_such_group', 'There is no group of that name.')
    case 'no-such-user':
      return notFound()
    case 'unsuitable-name':
      return failure(
        400,
        'invalid_request',
        'The name of a group has 1 to 64 small letters a-z, digits and . _ - and begins with a letter or digit.',
      )
    case 'not-admin':
    case 'stale':
    case 'own-account':
      return refusalAnswer(outcome)
  }
}

/** `GET /auth/admin/groups/` */
export const listAllGroups: Route = {
  method: 'GET',
  path: '/auth/admin/groups/',
  access: 'admin',
  summary: 'Groups',
  description: 'By name, with the number of members.',
  answers: {
    200: {
      description: 'All groups.',
      schema: z.strictObject({
        groups: z.array(z.strictObject({ name: z.string(), members: z.int(), created_at: z.int() })),
      }),
    },
    ...adminErrors,
  },
  async handle(_, { services }) {
    const groups = await listGroups(services.db)
    return ok({
      groups: groups.map(({ name, members, createdAt }) => ({ name, members, created_at: createdAt })),
    })
  },
}

const nameFields = z.strictObject({ name: admin.groupName })

/** `POST /auth/admin/groups/` */
export const createGroup: Route<typeof nameFields> = {
  method: 'POST',
  path: '/auth/admin/groups/',
  access: 'admin',
  summary: 'Make a group',
  description: 'Without members.',
  body: nameFields,
  answers: changeAnswers,
  async handle({ fields, session, caller }, { services }) {
    if (session === undefined) return notSignedIn()
    const by = { admin: session, caller }
    return groupAnswer(await byAdmin(changeGroup(services, { kind: 'create', group: fields.name }, by)))
  },
}

/** `DELETE /auth/admin/groups/{name}/` */
export const deleteGroup: Route = {
  method: 'DELETE',
  path: '/auth/admin/groups/:name/',
  access: 'admin',
  summary: 'Delete a group',
  description: 'Its members stay.',
  answers: changeAnswers,
  async handle({ name, session, caller }, { services }) {
    if (session === undefined) return notSignedIn()
    const by = { admin: session, caller }
    return groupAnswer(await byAdmin(changeGroup(services, { kind: 'delete', group: name }, by)))
  },
}

const memberFields = z.strictObject({ group: admin.groupName })

/** `POST /auth/admin/users/{id}/groups/` */
export const addToGroup: Route<typeof memberFields> = {
  method: 'POST',
  path: '/auth/admin/users/:id/groups/',
  access: 'admin',
  summary: 'Add a user to a group',
  description: 'Holds from the next request on.',
  body: memberFields,
  answers: changeAnswers,
  async handle({ id, fields, session, caller }, { services }) {
    if (session === undefined) return notSignedIn()
    const who = { id: id as UserId } // Of the path; whether it is a user's, the store knows.
    const change = { kind: 'add', group: fields.group, who } as const
    return groupAnswer(await byAdmin(changeGroup(services, change, { admin: session, caller })))
  },
}

/** `DELETE /auth/admin/users/{id}/groups/{name}/` */
export const removeFromGroup: Route = {
  method: 'DELETE',
  path: '/auth/admin/users/:id/groups/:name/',
  access: 'admin',
  summary: 'Take a user out of a group',
  description: 'Holds from the next request on.',
  answers: changeAnswers,
  async handle({ id, name, session, caller }, { services }) {
    if (session === undefined) return notSignedIn()
    const who = { id: id as UserId } // Of the path; whether it is a user's, the store knows.
    const change = { kind: 'remove', group: name, who } as const
    return groupAnswer(await byAdmin(changeGroup(services, change, { admin: session, caller })))
  },
}
