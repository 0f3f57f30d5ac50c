import { parseBase32 } from './base32.ts'
import { type Authenticator, type Code, codeAt, nextCode, stepNow } from './codes.ts'
import type { Deed } from './perform.ts'
import type { Person } from './person.ts'
import type { Reply } from './visit.ts'
import { addEvent, endAppPasswords, endSessions, type HeldSession, type World } from './world.ts'

/** Password, code and session at once; nothing while the person's authenticators wait for their next code. */
export function signIn(person: Person): Deed | undefined {
  const code = nextCode(person.world.devices)
  return code && signInWith(person, code)
}

/** Password and this code at once. */
export function signInWith({ username, world }: Person, code: Code): Deed {
  return {
    name: 'sign-ins',
    request: {
      method: 'POST',
      path: '/auth/authenticate/',
      fields: { username, password: world.password, otp: code.text },
    },
    code: { text: code.text, code },
    change: beginSession,
    learn: learnSession,
  }
}

/** The first of two steps: the password; `next` of the answer says what is due. */
export const enterPassword = ({ username, world: { password } }: Person): Deed => ({
  name: 'passwords',
  request: { method: 'POST', path: '/auth/login/', fields: { username, password } },
  change: (world) => addEvent(world, 'password-accepted'),
})

/** The second of two steps: a code, in the login that the first one began. */
export function enterCode({ world: { devices } }: Person, login: string): Deed | undefined {
  const code = nextCode(devices)
  if (code === undefined) return undefined
  return {
    name: 'codes',
    request: { method: 'POST', path: '/auth/verify/', fields: { otp: code.text }, login },
    code: { text: code.text, code },
    change: beginSession,
    learn: learnSession,
  }
}

/** Signs in by a recovery code, which ends all that was open. */
export function recover({ username, world: { password, recoveryCodes } }: Person): Deed | undefined {
  const text = recoveryCodes.at(-1)
  if (text === undefined) return undefined
  return {
    name: 'recoveries',
    request: { method: 'POST', path: '/auth/authenticate/', fields: { username, password, otp: text } },
    code: { text },
    change(world) {
      world.recoveryCodes.pop()
      endSessions(world)
      endAppPasswords(world)
      addEvent(world, 'recovery-code-used')
      beginSession(world)
    },
    learn: learnSession,
  }
}

export const makeRecoveryCodes = (session: HeldSession): Deed => ({
  name: 'sets of recovery codes',
  request: { method: 'POST', path: '/auth/recovery-codes/', session: session.token },
  change(world) {
    world.recoveryCodes = []
    world.unseen.recoveryCodes = 10
    addEvent(world, 'recovery-codes-made')
  },
  learn(world, { body }) {
    world.recoveryCodes = [...body.recovery_codes]
    world.unseen.recoveryCodes = 0
  },
})

export const beginEnrolment = (
  by: { readonly session: string } | { readonly login: string },
  name: string,
): Deed => ({
  name: 'enrolments begun',
  request: { method: 'POST', path: '/auth/register-secret/', fields: { name }, ...by },
  change: (world) => addEvent(world, 'enrolment-begun'),
})

/** The authenticator that an enrolment made, from the secret that the answer showed. */
export const shownDevice = ({ body }: Extract<Reply, { kind: 'answered' }>, name: string): Authenticator => ({
  kind: 'totp',
  key: parseBase32(body.shared_secret),
  name,
  used: stepNow() - 2,
})

/** The first code of a new authenticator, from a session: all others end. */
export function confirmEnrolment(device: Authenticator, session: HeldSession): Deed {
  const at = stepNow()
  const text = codeAt(device.key, at)
  return {
    name: 'enrolments',
    request: { method: 'POST', path: '/auth/verify/', fields: { otp: text }, session: session.token },
    code: { text, code: { text, device, at } },
    change(world) {
      world.devices.push(device)
      renew(world)
      addEvent(world, 'device-confirmed')
    },
    learn: learnRenewed(session),
  }
}

/** The first code of the first authenticator, in a login that waits for it. */
export function confirmFirst(device: Authenticator, login: string): Deed {
  const at = stepNow()
  const text = codeAt(device.key, at)
  return {
    name: 'first enrolments',
    request: { method: 'POST', path: '/auth/verify/', fields: { otp: text }, login },
    code: { text, code: { text, device, at } },
    change(world) {
      world.devices.push(device)
      endSessions(world)
      endAppPasswords(world)
      addEvent(world, 'device-confirmed')
      beginSession(world)
    },
    learn: learnSession,
  }
}

export const removeDevice = (id: string, name: string, session: HeldSession): Deed => ({
  name: 'devices removed',
  request: { method: 'DELETE', path: `/auth/devices/${id}/`, session: session.token },
  change(world) {
    world.devices = world.devices.filter((device) => device.name !== name)
    renew(world)
    addEvent(world, 'device-removed')
  },
  learn: learnRenewed(session),
})

export const changePassword = (current: string, next: string, session: HeldSession): Deed => ({
  name: 'passwords changed',
  request: {
    method: 'POST',
    path: '/auth/password/',
    fields: { current_password: current, new_password: next },
    session: session.token,
  },
  change(world) {
    world.password = next
    renew(world)
    endAppPasswords(world)
    addEvent(world, 'password-changed')
  },
  learn: learnRenewed(session),
})

export const signOut = (session: HeldSession): Deed => ({
  name: 'sign-outs',
  request: { method: 'POST', path: '/auth/logout/', session: session.token },
  change(world) {
    world.sessions = world.sessions.filter((each) => each !== session)
    addEvent(world, 'signed-out')
  },
})

export const endOthers = (session: HeldSession): Deed => ({
  name: 'ends of other sessions',
  request: { method: 'DELETE', path: '/auth/sessions/', session: session.token },
  change(world) {
    endSessions(world)
    world.sessions = [session]
    addEvent(world, 'other-sessions-ended')
  },
})

export const makeAppPassword = (name: string, session: HeldSession): Deed => ({
  name: 'app passwords',
  request: {
    method: 'POST',
    path: '/auth/app-passwords/',
    fields: { name, policies: 'two-factor' },
    session: session.token,
  },
  change(world) {
    world.unseen.appPasswords += 1
    addEvent(world, 'app-password-made')
  },
  learn(world, { body }) {
    world.unseen.appPasswords -= 1
    world.appPasswords.push(body.id)
  },
})

export const revokeAppPassword = (id: string, session: HeldSession): Deed => ({
  name: 'app passwords revoked',
  request: { method: 'DELETE', path: `/auth/app-passwords/${id}/`, session: session.token },
  change(world) {
    world.appPasswords = world.appPasswords.filter((each) => each !== id)
    addEvent(world, 'app-password-revoked')
  },
})

/** A session begins, of which the answer tells the token. */
function beginSession(world: World): void {
  world.unseen.sessions += 1
  addEvent(world, 'signed-in')
}

/** All sessions end but one, which goes on under a token that the answer tells. */
function renew(world: World): void {
  endSessions(world)
  world.unseen.sessions = 1
}

function learnSession(world: World, { cookies }: Extract<Reply, { kind: 'answered' }>): void {
  if (cookies.session === undefined) return
  world.unseen.sessions -= 1
  world.sessions.push({ token: cookies.session, since: Date.now() })
}

const learnRenewed =
  ({ since }: HeldSession): NonNullable<Deed['learn']> =>
  (world, { cookies }) => {
    if (cookies.session === undefined) return
    world.unseen.sessions -= 1
    world.sessions.push({ token: cookies.session, since })
  }
