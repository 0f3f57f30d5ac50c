import { z } from 'zod'
import { byAdmin } from '../../actions/allow.ts'
import { findThrottled } from '../../actions/find-throttled.ts'
import { inviteNewUser } from '../../actions/invite-new-user.ts'
import { invitationLink } from '../../domain/invitation.ts'
import type { Seconds } from '../../domain/time.ts'
import { listGroupNames } from '../../store/views/list-group-names.ts'
import { listUsers, type UserSelection, userFilters } from '../../store/views/list-users.ts'
import type { Answer } from '../answer.ts'
import type { Edge } from '../endpoint.ts'
import { pageAnswer } from '../page.ts'
import { type PageRequest, pageRoute } from '../page-endpoint.ts'
import {
  adminUsersPage,
  invitationPage,
  type NewUserProps,
  newUserPage,
  type UserSearch,
} from '../pages/admin-users-page.ts'
import { usernameSentence } from '../pages/problems.ts'
import { adminOf, refused } from './admin-answers.ts'
import * as fields from './fields.ts'

const PART = 25

/** Whoever did not sign in for so long may have left. */
const UNSEEN: Seconds = 90 * 24 * 3600

const optional = z.string().min(1).max(128).optional().catch(undefined)

const usersQuery = z.object({
  search: optional,
  filter: z
    .enum(['', ...userFilters, 'throttled', 'not-seen'])
    .default('')
    .catch(''),
  group: optional,
  after: z.string().min(1).max(256).optional().catch(undefined),
})

/** `GET /admin/users` */
export const showUsers = pageRoute({
  method: 'GET',
  path: '/admin/users',
  access: 'admin',
  query: usersQuery,
  async handle({ view, query }, { services }) {
    const asked: UserSearch = {
      search: query.search,
      filter: query.filter,
      group: query.group,
      after: query.after,
    }
    const { search, group, after } = asked
    const filter = await filterOf(query.filter, services)
    const { users, more } = await listUsers(services.db, { search, group, after, ...filter, limit: PART })
    return pageAnswer(view, adminUsersPage(view, { asked, users, more }))
  },
})

async function filterOf(
  filter: UserSearch['filter'],
  services: Edge['services'],
): Promise<Pick<UserSelection, 'filter' | 'ids' | 'notSeenSince'>> {
  if (filter === '') return {}
  if (filter === 'throttled') return { ids: await findThrottled(services) }
  if (filter === 'not-seen') return { notSeenSince: services.now() - UNSEEN }
  return { filter }
}

/** `GET /admin/users/new` */
export const askForUser = pageRoute({
  method: 'GET',
  path: '/admin/users/new',
  access: 'admin',
  handle: (request, edge) => ask(request, edge, { username: '', name: '', chosen: [] }),
})

const PATH = '/admin/users/new'

/** The boxes of groups are named `group:…`; nothing else can be marked. */
const newUserFields = z
  .object({ username: fields.text, name: fields.text })
  .catchall(z.literal('yes'))
  .transform(({ username, name, ...marked }) => ({ username, name, marked: Object.keys(marked) }))
  .refine(({ marked }) => marked.every((box) => box.startsWith('group:')))

/** `POST /admin/users/new`: shows the invitation link, this once. */
export const addUser = pageRoute({
  method: 'POST',
  path: PATH,
  access: 'admin',
  fields: newUserFields,
  async handle(request, edge) {
    const { username, name, marked } = request.fields
    const { t } = request.view
    const chosen = marked.map((box) => box.slice('group:'.length))
    const typed = { username, name, chosen }
    const wanted = { username, displayName: name, groups: chosen }
    const outcome = await byAdmin(inviteNewUser(edge.services, wanted, adminOf(request)))
    switch (outcome.kind) {
      case 'invited': {
        const { token, lifetime } = outcome.invitation
        const page = invitationPage(request.view, {
          userId: outcome.id,
          username,
          link: invitationLink(edge.returnOrigins.own, token),
          endsAt: edge.services.now() + lifetime,
          isNew: true,
        })
        return pageAnswer(request.view, page)
      }
      case 'username-taken':
        return ask(request, edge, typed, { usernameError: t.login.usernameProblems.taken })
      case 'unsuitable-username':
        return ask(request, edge, typed, { usernameError: usernameSentence(t, outcome.problem) })
      case 'unsuitable-display-name':
        return ask(request, edge, typed, { nameError: t.login.usernameProblems.displayName })
      case 'no-such-group':
        return ask(request, edge, typed, { problem: t.admin.newUser.groupGone })
      case 'not-admin':
      case 'stale':
      case 'own-account':
        return refused(request, outcome, PATH)
    }
  },
})

async function ask(
  { view }: PageRequest,
  { services }: Edge,
  { username, name, chosen }: { username: string; name: string; chosen: readonly string[] },
  wrong?: Pick<NewUserProps, 'usernameError' | 'nameError' | 'problem'>,
): Promise<Answer> {
  const known = await listGroupNames(services.db)
  const groups = known.map((group) => ({ name: group, chosen: chosen.includes(group) }))
  const page = newUserPage(view, { username, name, groups, ...wrong })
  return pageAnswer(view, page, { status: wrong === undefined ? 200 : 422 })
}
