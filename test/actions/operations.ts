import { acceptInvitation } from '../../src/actions/accept-invitation.ts'
import { addDevice } from '../../src/actions/add-device.ts'
import { authenticate } from '../../src/actions/authenticate.ts'
import { beginEnrolment } from '../../src/actions/begin-enrolment.ts'
import { changeGroup } from '../../src/actions/change-group.ts'
import { changePassword } from '../../src/actions/change-password.ts'
import { confirmEnrolment } from '../../src/actions/confirm-enrolment.ts'
import { deleteUser } from '../../src/actions/delete-user.ts'
import { disableUser } from '../../src/actions/disable-user.ts'
import { enableUser } from '../../src/actions/enable-user.ts'
import { endOtherSessions } from '../../src/actions/end-other-sessions.ts'
import { inviteUser } from '../../src/actions/invite-user.ts'
import { makeRecoveryCodes } from '../../src/actions/make-recovery-codes.ts'
import { purgeExpired } from '../../src/actions/purge-expired.ts'
import { removeDevice } from '../../src/actions/remove-device.ts'
import { resetSecondFactor } from '../../src/actions/reset-second-factor.ts'
import { resumeSession } from '../../src/actions/resume-session.ts'
import { setPassword } from '../../src/actions/set-password.ts'
import { signOut } from '../../src/actions/sign-out.ts'
import { submitCode } from '../../src/actions/submit-code.ts'
import { submitPassword } from '../../src/actions/submit-password.ts'
import { unlockUser } from '../../src/actions/unlock-user.ts'
import type { SessionWithUser } from '../../src/domain/session.ts'
import type { Services } from '../../src/services.ts'
import { NEW_PASSWORDS, OLD_PASSWORD, type Person } from './person.ts'

/** Something that a request or the operator does to a person; tells by its `kind` what became of it. */
export type Operation = (services: Services, person: Person) => Promise<{ readonly kind: string }>

export const caller = { address: '203.0.113.7', userAgent: 'test', requestId: 'test' }
const by = { operator: 'test' }

/** What a signed-in request does: first it finds its session, as the edge does. */
const signedIn =
  (
    index: 0 | 1,
    act: (services: Services, held: SessionWithUser, person: Person) => ReturnType<Operation>,
  ): Operation =>
  async (services, person) => {
    const held = await resumeSession(services, person.sessionTokens[index])
    return held === undefined ? { kind: 'no-session' } : act(services, held, person)
  }

const removing = (device: string): Operation =>
  signedIn(0, (services, held, { devices }) =>
    removeDevice(services, held, { id: devices.get(device) ?? '', caller }),
  )

const changingTo = (next: string): Operation =>
  signedIn(0, (services, held) => changePassword(services, held, { current: OLD_PASSWORD, next, caller }))

/** Everything that changes what an account may do, or signs in with it. */
export const operations = {
  'password step': (services, { username }) =>
    submitPassword(services, { username, password: OLD_PASSWORD }, caller),
  'all three at once': (services, { username, code }) =>
    authenticate(services, { username, password: OLD_PASSWORD, code: code('phone'), uniform: false }, caller),
  'all three at once, telling nothing': (services, { username, code }) =>
    authenticate(services, { username, password: OLD_PASSWORD, code: code('phone'), uniform: true }, caller),
  'code of one login': (services, { loginTokens, code }) =>
    submitCode(services, { loginToken: loginTokens[0], code: code('phone') }, caller),
  'same code of another login': (services, { loginTokens, code }) =>
    submitCode(services, { loginToken: loginTokens[1], code: code('phone') }, caller),
  'recovery code': (services, person) =>
    submitCode(services, { loginToken: person.loginTokens[0], code: person.recoveryCodes[0] }, caller),
  'same recovery code': (services, person) =>
    submitCode(services, { loginToken: person.loginTokens[1], code: person.recoveryCodes[0] }, caller),
  'first code of the pending device': (services, { loginTokens, code }) =>
    submitCode(services, { loginToken: loginTokens[0], code: code('tablet') }, caller),
  'first code, all three at once': (services, { username, code }) =>
    authenticate(
      services,
      { username, password: OLD_PASSWORD, code: code('tablet'), uniform: false },
      caller,
    ),
  'begin enrolment from a login': (services, { loginTokens }) =>
    beginEnrolment(services, { loginToken: loginTokens[1] }, { name: 'watch', caller }),
  'begin enrolment from a session': signedIn(0, (services, session) =>
    beginEnrolment(services, { session }, { name: 'watch', caller }),
  ),
  'confirm enrolment': signedIn(0, (services, held, { code }) =>
    confirmEnrolment(services, held, { code: code('tablet'), caller }),
  ),
  'confirm enrolment elsewhere': signedIn(1, (services, held, { code }) =>
    confirmEnrolment(services, held, { code: code('tablet'), caller }),
  ),
  'remove the phone': removing('phone'),
  'remove the token': removing('token'),
  'change the password': changingTo(NEW_PASSWORDS[0]),
  'change the password to another': changingTo(NEW_PASSWORDS[1]),
  'make recovery codes': signedIn(0, (services, held) => makeRecoveryCodes(services, held, caller)),
  'end the other sessions': signedIn(1, (services, held) => endOtherSessions(services, held, caller)),
  'accept an invitation': (services, { invitation }) =>
    acceptInvitation(services, { code: invitation, password: NEW_PASSWORDS[0] }, caller),
  'sign out': async (services, { sessionTokens, loginTokens }) => {
    await signOut(services, { sessionToken: sessionTokens[0], loginToken: loginTokens[0] }, caller)
    return { kind: 'done' }
  },
  'operator: disable': (services, { username }) => disableUser(services, username, by),
  'operator: enable': (services, { username }) => enableUser(services, username, by),
  'operator: delete': (services, { username }) => deleteUser(services, username, by),
  'operator: unlock': (services, { username }) => unlockUser(services, username, by),
  'operator: invite': (services, { username }) => inviteUser(services, username, by),
  'operator: set a password': (services, { username }) =>
    setPassword(services, { username, password: NEW_PASSWORDS[1], mustChange: false }, by),
  'operator: reset the second factor': (services, { username }) => resetSecondFactor(services, username, by),
  'operator: add a token': (services, { username }) => {
    const token = {
      kind: 'hotp',
      name: 'card',
      algorithm: 'sha1',
      digits: 6,
      period: 30,
      counter: 0,
    } as const
    return addDevice(services, username, { ...token, key: services.entropy(20) }, by)
  },
  'operator: add to a group': (services, { username, group }) =>
    changeGroup(services, { kind: 'add', group, who: username }, by),
  'operator: delete the group': (services, { group }) => changeGroup(services, { kind: 'delete', group }, by),
  'purge what has ended': async (services) => {
    await purgeExpired(services)
    return { kind: 'done' }
  },
} as const satisfies Record<string, Operation>

export type OperationName = keyof typeof operations

const doneKinds: ReadonlySet<string> = new Set([
  ...['signed-in', 'continue', 'begun', 'confirmed', 'removed', 'changed', 'made', 'ended', 'done'],
  ...['disabled', 'enabled', 'deleted', 'unlocked', 'reset', 'added', 'invited'],
])

/** Whether an operation did what it was asked; a refused one must have left nothing behind. */
export const isDone = ({ kind }: { readonly kind: string }): boolean => doneKinds.has(kind)
