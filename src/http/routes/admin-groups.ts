import { z } from 'zod'
import { byAdmin } from '../../actions/allow.ts'
import { changeGroup } from '../../actions/change-group.ts'
import { listGroups } from '../../store/views/list-groups.ts'
import type { Answer } from '../answer.ts'
import type { Edge } from '../endpoint.ts'
import { pageAnswer } from '../page.ts'
import { type PageRequest, pageRoute } from '../page-endpoint.ts'
import { adminGroupsPage, deleteGroupPage } from '../pages/admin-groups-page.ts'
import { adminOf, notFound, noticeQuery, refused, said, userIdOf, userPath } from './admin-answers.ts'
import * as fields from './fields.ts'

const PATH = '/admin/groups'

/** `GET /admin/groups` */
export const showGroups = pageRoute({
  method: 'GET',
  path: PATH,
  access: 'admin',
  query: noticeQuery,
  async handle({ view, query }, { services }) {
    const groups = await listGroups(services.db)
    return pageAnswer(view, adminGroupsPage(view, { groups, said: query.notice }))
  },
})

const groupFields = z.strictObject({ group: fields.text })

/** `POST /admin/groups` */
export const makeGroup = pageRoute({
  method: 'POST',
  path: PATH,
  access: 'admin',
  fields: groupFields,
  async handle(request, { services }) {
    const { group } = request.fields
    const { problems } = request.view.t.admin.groups
    const again = async (error: string) => {
      const page = adminGroupsPage(request.view, {
        groups: await listGroups(services.db),
        name: group,
        error,
      })
      return pageAnswer(request.view, page, { status: 422 })
    }
    const outcome = await byAdmin(changeGroup(services, { kind: 'create', group }, adminOf(request)))
    switch (outcome.kind) {
      case 'changed':
        return said(PATH, 'group-made')
      case 'already-so':
        return again(problems.taken)
      case 'unsuitable-name':
        return again(problems[outcome.problem])
      case 'no-such-group':
      case 'no-such-user':
        return said(PATH, 'gone')
      case 'not-admin':
      case 'stale':
      case 'own-account':
        return refused(request, outcome, PATH)
    }
  },
})

/** `GET /admin/groups/:id/delete`: says what it does; groups go by their name. */
export const askForDeletion = pageRoute({
  method: 'GET',
  path: '/admin/groups/:id/delete',
  access: 'admin',
  async handle(request, { services }) {
    const { view, id } = request
    const group = (await listGroups(services.db)).find(({ name }) => name === id)
    return group === undefined ? notFound(request) : pageAnswer(view, deleteGroupPage(view, group))
  },
})

/** `POST /admin/groups/:id/delete` */
export const deleteGroup = pageRoute({
  method: 'POST',
  path: '/admin/groups/:id/delete',
  access: 'admin',
  async handle(request, { services }) {
    const { id: group } = request
    const outcome = await byAdmin(changeGroup(services, { kind: 'delete', group }, adminOf(request)))
    switch (outcome.kind) {
      case 'changed':
        return said(PATH, 'group-deleted')
      case 'already-so':
      case 'no-such-group':
      case 'no-such-user':
        return said(PATH, 'gone')
      case 'unsuitable-name':
        return notFound(request)
      case 'not-admin':
      case 'stale':
      case 'own-account':
        return refused(request, outcome, `${PATH}/${group}/delete`)
    }
  },
})

/** `POST /admin/users/:id/groups/add` */
export const addToGroup = pageRoute({
  method: 'POST',
  path: '/admin/users/:id/groups/add',
  access: 'admin',
  fields: groupFields,
  handle: (request, edge) => changeMember(request, edge, { kind: 'add', group: request.fields.group }),
})

/** `POST /admin/users/:id/groups/remove` */
export const removeFromGroup = pageRoute({
  method: 'POST',
  path: '/admin/users/:id/groups/remove',
  access: 'admin',
  fields: groupFields,
  handle: (request, edge) => changeMember(request, edge, { kind: 'remove', group: request.fields.group }),
})

async function changeMember(
  request: PageRequest,
  { services }: Edge,
  change: { readonly kind: 'add' | 'remove'; readonly group: string },
): Promise<Answer> {
  const id = userIdOf(request)
  if (id === undefined) return notFound(request)
  const page = userPath(id)
  const outcome = await byAdmin(changeGroup(services, { ...change, who: { id } }, adminOf(request)))
  switch (outcome.kind) {
    case 'changed':
      return said(page, change.kind === 'add' ? 'added' : 'removed')
    case 'already-so':
      return said(page, 'already-so')
    case 'no-such-group':
    case 'unsuitable-name':
      return said(page, 'gone')
    case 'no-such-user':
      return notFound(request)
    case 'not-admin':
    case 'stale':
    case 'own-account':
      return refused(request, outcome, page)
  }
}
