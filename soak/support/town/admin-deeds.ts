import type { Deed } from './perform.ts'
import type { Person } from './person.ts'
import { addEvent, endAppPasswords, endSessions } from './world.ts'

/** What an administrator does to somebody; it stands in that person's book. */

export const disable = ({ id }: Person, session: string): Deed => ({
  name: 'users disabled',
  request: { method: 'POST', path: `/auth/admin/users/${id}/disable/`, session },
  change(world) {
    world.isDisabled = true
    endSessions(world)
    endAppPasswords(world)
    addEvent(world, 'user-disabled')
  },
})

export const enable = ({ id }: Person, session: string): Deed => ({
  name: 'users enabled',
  request: { method: 'POST', path: `/auth/admin/users/${id}/enable/`, session },
  change(world) {
    world.isDisabled = false
    addEvent(world, 'user-enabled')
  },
})

export const endSessionsOf = ({ id }: Person, session: string): Deed => ({
  name: 'ends of all sessions',
  request: { method: 'DELETE', path: `/auth/admin/users/${id}/sessions/`, session },
  change(world) {
    endSessions(world)
    addEvent(world, 'sessions-ended')
  },
})

export const addToGroup = ({ id }: Person, group: string, session: string): Deed => ({
  name: 'group members added',
  request: { method: 'POST', path: `/auth/admin/users/${id}/groups/`, fields: { group }, session },
  change(world) {
    world.groups.push(group)
    addEvent(world, 'group-member-added')
  },
})

export const removeFromGroup = ({ id }: Person, group: string, session: string): Deed => ({
  name: 'group members removed',
  request: { method: 'DELETE', path: `/auth/admin/users/${id}/groups/${group}/`, session },
  change(world) {
    world.groups = world.groups.filter((each) => each !== group)
    addEvent(world, 'group-member-removed')
  },
})

/** Makes the user; the answer holds the link to choose a password by. */
export const invite = ({ username }: Person, session: string): Deed => ({
  name: 'invitations',
  request: { method: 'POST', path: '/auth/admin/users/', fields: { username }, session },
  change(world) {
    world.isThere = true
    addEvent(world, 'user-created')
    addEvent(world, 'invitation-made')
  },
})

/** The invited person chooses a password. */
export const acceptInvitation = (code: string, password: string): Deed => ({
  name: 'invitations used',
  request: { method: 'POST', path: '/auth/invitation/', fields: { code, password } },
  change(world) {
    world.password = password
    addEvent(world, 'invitation-used')
    addEvent(world, 'password-changed')
  },
})
