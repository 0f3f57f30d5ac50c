import type { Random } from '../random.ts'
import * as admin from './admin-deeds.ts'
import * as deeds from './deeds.ts'
import { type Deed, type Performed, perform } from './perform.ts'
import type { Person } from './person.ts'
import type { Town } from './town.ts'
import { visit } from './visit.ts'
import type { HeldSession } from './world.ts'

/** Groups that people are put in and taken out of. */
export const groups = ['staff', 'night-shift'] as const

/** A proof is fresh for so long in a town, less what a request takes. */
const FRESH_MS = 800_000

export interface Done {
  readonly deed: string
  readonly outcome: Performed
}

/** What a person does next: one request, or a few that belong together, each once the one before it is done. */
export async function* chooseDeed(town: Town, person: Person, random: Random): AsyncGenerator<Done> {
  const act = async (deed: Deed): Promise<Done> => ({
    deed: deed.name,
    outcome: await perform(person, town.node(random), deed),
  })
  const { world } = person
  if (!world.isThere) return yield* arrive(town, person, act)
  if (world.isDisabled) return yield await act(admin.enable(person, town.adminSession()))
  if (world.password === '') {
    // The link was lost with its answer; whoever waits for another stays away.
    person.restsUntil = Number.POSITIVE_INFINITY
    return
  }
  if (world.devices.length === 0) return yield* enrolFirst(person, act)
  const session = freshSession(person)
  if (session === undefined || random.below(100) < 45) return yield* signInSomehow(person, random, act)
  if (world.sessions.length + world.unseen.sessions > 8) return yield await act(deeds.endOthers(session))
  if (random.below(100) < 20) return yield await act(administered(town, person, random))
  yield* changeOwn(town, person, { session, random, act })
}

type Act = (deed: Deed) => Promise<Done>

function freshSession({ world }: Person): HeldSession | undefined {
  return world.sessions.findLast(({ since }) => Date.now() - since < FRESH_MS)
}

/** By password and code at once, in two steps, or by a recovery code. */
async function* signInSomehow(person: Person, random: Random, act: Act): AsyncGenerator<Done> {
  const way = random.below(10)
  const recovery = way === 0 ? deeds.recover(person) : undefined
  if (recovery !== undefined) return yield await act(recovery)
  if (way <= 3 && deeds.signIn(person) !== undefined) {
    const entered = await act(deeds.enterPassword(person))
    yield entered
    const code = deeds.enterCode(person, loginOf(entered))
    return code && (yield await act(code))
  }
  const deed = deeds.signIn(person)
  if (deed !== undefined) yield await act(deed)
}

const loginOf = ({ outcome }: Done): string =>
  outcome.kind === 'done' ? (outcome.reply.cookies.login ?? '') : ''

function administered(town: Town, person: Person, random: Random): Deed {
  const session = town.adminSession()
  const group = random.pick(groups)
  const way = random.below(4)
  if (way === 0) return admin.disable(person, session)
  if (way === 1) return admin.endSessionsOf(person, session)
  return person.world.groups.includes(group)
    ? admin.removeFromGroup(person, group, session)
    : admin.addToGroup(person, group, session)
}

async function* changeOwn(
  town: Town,
  person: Person,
  { session, random, act }: { session: HeldSession; random: Random; act: Act },
): AsyncGenerator<Done> {
  const { world } = person
  const name = `n${random.below(1_000_000_000)}`
  switch (random.below(8)) {
    case 0:
      return yield await act(deeds.signOut(session))
    case 1:
      return yield await act(deeds.endOthers(session))
    case 2:
      return yield await act(deeds.makeRecoveryCodes(session))
    case 3: {
      const next = `violet anvil ${random.bytes(6).toString('hex')}`
      return yield await act(deeds.changePassword(world.password, next, session))
    }
    case 4: {
      const [first] = world.appPasswords
      const isFull = world.appPasswords.length + world.unseen.appPasswords >= 15
      if (first !== undefined && (isFull || random.below(2) === 0)) {
        return yield await act(deeds.revokeAppPassword(first, session))
      }
      return isFull ? undefined : yield await act(deeds.makeAppPassword(name, session))
    }
    case 5:
    case 6:
      if (world.devices.length >= 4) return
      return yield* enrolAnother({ session, name, act })
    default: {
      const removable = world.devices.findLast((device) => device.name !== '')
      if (removable === undefined) return
      const { address } = person
      const listed = await visit(town.node(random), {
        ...{ method: 'GET', path: '/auth/devices/', session: session.token, address },
      })
      if (listed.kind !== 'answered' || listed.status !== 200) return
      const devices: { id: string; name: string }[] = listed.body.devices
      const id = devices.find((device) => device.name === removable.name)?.id
      if (id !== undefined) yield await act(deeds.removeDevice(id, removable.name, session))
    }
  }
}

async function* enrolAnother({
  session,
  name,
  act,
}: {
  session: HeldSession
  name: string
  act: Act
}): AsyncGenerator<Done> {
  const begun = await act(deeds.beginEnrolment({ session: session.token }, name))
  yield begun
  if (begun.outcome.kind !== 'done') return
  yield await act(deeds.confirmEnrolment(deeds.shownDevice(begun.outcome.reply, name), session))
}

/** Is invited, and chooses a password. */
async function* arrive(town: Town, person: Person, act: Act): AsyncGenerator<Done> {
  const invited = await act(admin.invite(person, town.adminSession()))
  if (invited.outcome.kind === 'done') person.id = invited.outcome.reply.body.user_id
  yield invited
  if (invited.outcome.kind !== 'done') return
  const [, code = ''] = /#(.+)$/.exec(invited.outcome.reply.body.invitation_link) ?? []
  yield await act(admin.acceptInvitation(code, `violet anvil ${person.username}`))
}

/** Signs in for the first time, and sets up the first authenticator. */
async function* enrolFirst(person: Person, act: Act): AsyncGenerator<Done> {
  const entered = await act(deeds.enterPassword(person))
  yield entered
  const login = loginOf(entered)
  const begun = await act(deeds.beginEnrolment({ login }, 'Phone'))
  yield begun
  if (begun.outcome.kind !== 'done') return
  yield await act(deeds.confirmFirst(deeds.shownDevice(begun.outcome.reply, ''), login))
}
