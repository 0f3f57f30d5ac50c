import { authorizeRequest } from '../../src/actions/authorize-request.ts'
import { endCodeWindow } from '../../src/actions/end-code-window.ts'
import { endSession } from '../../src/actions/end-session.ts'
import { makeAppPassword, makeAppPasswordFor } from '../../src/actions/make-app-password.ts'
import { renameDevice } from '../../src/actions/rename-device.ts'
import { resumeSession } from '../../src/actions/resume-session.ts'
import { revokeAppPassword, revokeAppPasswordOf } from '../../src/actions/revoke-app-password.ts'
import type { SessionWithUser } from '../../src/domain/session.ts'
import type { Services } from '../../src/services.ts'
import * as appPasswords from '../../src/store/app-passwords.ts'
import * as codeWindows from '../../src/store/code-windows.ts'
import { caller, isDone, operations } from '../../test/actions/operations.ts'
import { makePerson, OLD_PASSWORD, type Person, stateOf } from '../../test/actions/person.ts'
import { WIKI } from './nodes.ts'

/** A person with what programs use, too. */
export interface Subject extends Person {
  readonly appPasswordId: string
  readonly appPassword: string
  /** Of the password and the code of the token in one field. */
  readonly codeWindowId: string
}

type Operation = (services: Services, subject: Subject) => Promise<{ readonly kind: string }>

const by = { operator: 'trial' }

const signedIn =
  (
    index: 0 | 1,
    act: (services: Services, held: SessionWithUser, subject: Subject) => ReturnType<Operation>,
  ): Operation =>
  async (services, subject) => {
    const held = await resumeSession(services, subject.sessionTokens[index])
    return held === undefined ? { kind: 'no-session' } : act(services, held, subject)
  }

const byBasic = (services: Services, { username }: Person, password: string) =>
  authorizeRequest(services, {
    ...{ policy: 'programs', host: WIKI, address: '203.0.113.20', siteToken: undefined },
    credentials: { username, password },
  })

const wanted = (name: string) => ({ name, policies: ['programs'], days: undefined })

/** Everything that changes what an account may do: what tests interleave, and what programs use. */
export const accountOperations: Readonly<Record<string, Operation>> = {
  ...operations,
  'make an app password': signedIn(0, (services, held) =>
    makeAppPassword(services, held, { wanted: wanted('laptop'), caller }),
  ),
  'operator: make an app password': (services, { username }) =>
    makeAppPasswordFor(services, username, { wanted: wanted('printer'), by }),
  'revoke an app password': signedIn(1, (services, held, { appPasswordId: id }) =>
    revokeAppPassword(services, held, { id, caller }),
  ),
  'operator: revoke an app password': (services, { appPasswordId }) =>
    revokeAppPasswordOf(services, appPasswordId, by),
  'end a code window': signedIn(1, (services, held, { codeWindowId: id }) =>
    endCodeWindow(services, held, { id, caller }),
  ),
  'password and code in one field': (services, subject) =>
    byBasic(services, subject, OLD_PASSWORD + subject.code('phone')),
  'end a session elsewhere': signedIn(0, async (services, held, { sessionTokens }) => {
    const other = await resumeSession(services, sessionTokens[1])
    if (other === undefined) return { kind: 'no-session' }
    return endSession(services, held, { id: other.session.id, caller })
  }),
  'rename a device': signedIn(0, (services, held, { devices }) =>
    renameDevice(services, held, { id: devices.get('phone') ?? '', name: 'renamed', caller }),
  ),
}

const more = new Set(['revoked', 'renamed', 'allow', 'ended'])

/** Whether an operation did what it was asked; a refused one must have left nothing behind. */
export const didIt = (outcome: { readonly kind: string }): boolean =>
  isDone(outcome) || more.has(outcome.kind)

/** Somebody of two factors with an app password and a program that sent a code. */
export async function makeSubject(services: Services): Promise<Subject> {
  const person = await makePerson(services, 'enrolled')
  const made = await makeAppPasswordFor(services, person.username, { wanted: wanted('phone'), by })
  if (made.kind !== 'made') throw new Error(`No app password: ${made.kind}`)
  const opened = await byBasic(services, person, OLD_PASSWORD + person.code('token'))
  if (opened.kind !== 'allow') throw new Error(`No code window: ${opened.kind}`)
  const [window] = await codeWindows.listOpen(services.db, person.id, services.now())
  return {
    ...person,
    appPasswordId: made.id,
    appPassword: made.appPassword,
    codeWindowId: window?.id ?? '',
  }
}

/** What is left in the end, as far as it decides who gets in. */
export async function standingOf(services: Services, subject: Subject): Promise<string> {
  const person = await stateOf(services, subject)
  if (person === 'deleted') return person
  const { db } = services
  const passwords = (await appPasswords.listOf(db, subject.id)).map(({ name }) => name).toSorted()
  const [epoch, windows] = await Promise.all([
    db.selectFrom('user').select('epoch').where('id', '=', subject.id).executeTakeFirstOrThrow(),
    codeWindows.listOpen(db, subject.id, services.now()),
  ])
  // A window of an earlier epoch opens nothing any more.
  const open = windows.filter((window) => window.epoch === epoch.epoch).length
  return `${person}, app passwords ${passwords.join(' ') || 'none'}, ${open} code windows`
}
