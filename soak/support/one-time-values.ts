import { acceptInvitation } from '../../src/actions/accept-invitation.ts'
import { beginSetup } from '../../src/actions/begin-setup.ts'
import { confirmEnrolment } from '../../src/actions/confirm-enrolment.ts'
import { finishSetup } from '../../src/actions/finish-setup.ts'
import { importedCodeHash } from '../../src/actions/imported-code-hash.ts'
import { resetSecondFactor } from '../../src/actions/reset-second-factor.ts'
import { resumeSession } from '../../src/actions/resume-session.ts'
import { takeTicket } from '../../src/actions/take-ticket.ts'
import { newToken } from '../../src/crypto/random.ts'
import { takeTicket as ticketIn } from '../../src/domain/ticket.ts'
import { hashToken } from '../../src/domain/token.ts'
import { FIRST_IMPORTED_INDEX } from '../../src/store/recovery-codes.ts'
import { caller } from '../../test/actions/operations.ts'
import { makePerson, NEW_PASSWORDS, OLD_PASSWORD, type Person } from '../../test/actions/person.ts'
import { headerOf } from '../../test/support/raw-client.ts'
import { type CodeWay, codeShots, giveHands } from './code-shots.ts'
import { giveCounterToken } from './counter-token.ts'
import { WIKI } from './nodes.ts'
import type { RaceStage } from './race-stages.ts'
import type { Random } from './random.ts'
import { jsonRequest, placeRequest, type Shot } from './volley.ts'

/** Something that works once, and many who want it at the same moment. */
export interface OneTimeValue {
  readonly shots: readonly Shot[]
  /** Whose audit log tells of it, and by which events; nobody's where there was nobody. */
  readonly person?: Person
  readonly events: readonly string[]
  /** Answers of those who came too late. */
  readonly refusals: readonly string[]
  /** Where all may pass by what one of them opened. */
  readonly allPass?: boolean
}

type Making = (stage: RaceStage, random: Random, count: number) => Promise<OneTimeValue>

// A step-up whose session ended with what won is sent to sign in: 303.
const wrongCode = [
  '400',
  '422',
  '401',
  '429',
  '409',
  '303',
  'wrong-code',
  'throttled',
  'not-awaited',
  'sign-in',
]
const stepWays = ['verify', 'page'] as const
const loginWays = ['verify', 'page', 'authenticate', 'page at once', 'step-up'] as const

/** Shots of one code of a person who has it. */
async function codeOf(
  { nodes }: RaceStage,
  random: Random,
  { person, code, ways, count }: { person: Person; code: string; ways: readonly CodeWay[]; count: number },
): Promise<OneTimeValue> {
  const holder = { ...person, password: OLD_PASSWORD }
  const hands = await giveHands(nodes.beside, person, 8)
  const shots = codeShots(nodes, { holder, hands, code }, { ways, count, random })
  return { shots, person, events: ['signed-in'], refusals: wrongCode }
}

/** Everything that works once, beside the code of an app (FT-RACE-1). */
export const oneTimeValues = {
  'code of a counter token': async (stage, random, count) => {
    const person = await makePerson(stage.nodes.beside, 'enrolled')
    const code = await giveCounterToken(stage.nodes.beside, person, random.below(1000))
    return codeOf(stage, random, { person, code, ways: random.pick([stepWays, loginWays]), count })
  },
  'recovery code': async (stage, random, count) => {
    const person = await makePerson(stage.nodes.beside, 'enrolled')
    const code = random.pick(person.recoveryCodes)
    return codeOf(stage, random, { person, code, ways: random.pick([stepWays, loginWays]), count })
  },
  'imported code': async (stage, random, count) => {
    const { beside } = stage.nodes
    const person = await makePerson(beside, 'enrolled')
    const code = `a${random.bytes(6).toString('hex')}`
    await beside.db
      .insertInto('recovery_code')
      .values({
        user_id: person.id,
        code_index: FIRST_IMPORTED_INDEX,
        hash: importedCodeHash(beside, person.id, code),
        created_at: beside.now(),
        expires_at: null,
      })
      .execute()
    return codeOf(stage, random, { person, code, ways: random.pick([stepWays, loginWays]), count })
  },
  'code of a reset': async (stage, random, count) => {
    const { beside } = stage.nodes
    const person = await makePerson(beside, 'enrolled')
    const reset = await resetSecondFactor(beside, person.username, { operator: 'trial' })
    if (reset.kind !== 'reset') throw new Error(`No reset: ${reset.kind}`)
    const ways = random.pick([stepWays, ['authenticate', 'page at once']] as const)
    const value = await codeOf(stage, random, { person, code: reset.recoveryCode, ways, count })
    return { ...value, events: ['recovery-code-used'] }
  },
  'first code of an enrolment': async (stage, random, count) => {
    const person = await makePerson(stage.nodes.beside, 'newcomer')
    const ways = random.pick([stepWays, ['authenticate', 'page at once']] as const)
    const value = await codeOf(stage, random, { person, code: person.code('tablet'), ways, count })
    return { ...value, events: ['device-confirmed'], refusals: [...wrongCode, '403', 'enrolment-required'] }
  },
  'first code of a further device': async ({ nodes }, _, count) => {
    const person = await makePerson(nodes.beside, 'enrolled')
    const { sessionTokens } = await giveHands(nodes.beside, person, 8)
    const code = person.code('tablet')
    const shots = Array.from({ length: count }, (_, index): Shot => {
      const token = sessionTokens[index % sessionTokens.length] ?? newToken()
      const from = { address: '203.0.113.9', cookie: `watchword-session=${token}` }
      return {
        way: 'session',
        request: jsonRequest('POST', '/auth/verify/', from, { otp: code }),
        beside: async (services) => {
          const held = await resumeSession(services, token)
          if (held === undefined) return { kind: 'no-session' }
          return confirmEnrolment(services, held, { code, caller })
        },
      }
    })
    const refusals = [...wrongCode, 'no-session', 'superseded']
    return { shots, person, events: ['device-confirmed'], refusals }
  },
  invitation: async ({ nodes }, _, count) => {
    const person = await makePerson(nodes.beside, 'enrolled')
    const [password] = NEW_PASSWORDS
    const code = person.invitation
    const shots = Array.from({ length: count }, (_, index): Shot => {
      return {
        way: 'link',
        request: jsonRequest(
          'POST',
          '/auth/invitation/',
          { address: `198.51.100.${index}` },
          { code, password },
        ),
        beside: (services) => acceptInvitation(services, { code, password }, caller),
      }
    })
    return { shots, person, events: ['invitation-used'], refusals: ['404', 'no-such-invitation'] }
  },
  'token of the setup': async ({ nodes }, _, count) => {
    const { beside } = nodes
    await beside.db.deleteFrom('user').execute()
    const begun = await beginSetup(beside)
    if (begun.kind !== 'begun') throw new Error('There is somebody already.')
    const { token: code } = begun.setup
    const shots = Array.from({ length: count }, (_, index): Shot => {
      const fields = { code, username: `first${index}`, display_name: '', password: OLD_PASSWORD }
      return {
        way: 'link',
        request: jsonRequest('POST', '/auth/setup/', { address: `198.51.100.${index}` }, fields),
        beside: (services) => {
          const { username, password } = fields
          return finishSetup(services, { code, username, displayName: '', password }, caller)
        },
      }
    })
    return { shots, events: [], refusals: ['404', '409', 'no-such-setup', 'done-already'] }
  },
  'ticket of a protected host': async ({ nodes, lanes }, _, count) => {
    const person = await makePerson(nodes.beside, 'enrolled')
    const waitToken = newToken()
    const query = new URLSearchParams({ to: `${WIKI}/page`, state: hashToken(waitToken) })
    const from = { address: '203.0.113.9', cookie: `watchword-session=${person.sessionTokens[0]}` }
    const sent = await lanes.one({ way: 'enter', request: jsonRequest('GET', `/enter?${query}`, from) })
    const location = sent.answer && headerOf(sent.answer, 'location')
    const { pathname, search } = new URL(location ?? '', WIKI)
    const { ticket } = ticketIn(search)
    if (ticket === undefined) throw new Error(`There was no ticket: ${sent.said}`)
    const back = { address: '203.0.113.9', cookie: `__Host-watchword-wait=${waitToken}` }
    const shots = Array.from({ length: count }, (): Shot => {
      return {
        way: 'address',
        request: placeRequest(nodes, back, { policy: 'two-factor', uri: pathname + search }),
        beside: async (services) => {
          const taken = await takeTicket(services, { ticket, waitToken, host: WIKI })
          return { kind: taken === undefined ? 'sign-in' : 'allow' }
        },
      }
    })
    return { shots, events: [], refusals: ['302', 'sign-in'] }
  },
  'request of a reset': async ({ nodes, lanes }, _, count) => {
    const { beside } = nodes
    const [target, asking, carrying] = await Promise.all([1, 2, 3].map(() => makePerson(beside, 'enrolled')))
    if (target === undefined || asking === undefined || carrying === undefined)
      throw new Error('three people')
    const ids = [target.id, asking.id, carrying.id]
    await beside.db.updateTable('user').set({ is_superuser: 1 }).where('id', 'in', ids).execute()
    const by = (person: Person): Shot => {
      const from = { address: '203.0.113.9', cookie: `watchword-session=${person.sessionTokens[0]}` }
      const path = `/auth/admin/users/${target.id}/second-factor-reset/`
      return {
        way: 'administrator',
        request: jsonRequest('POST', path, from),
        isWon: ({ status, body }) => status === 200 && body.includes('recovery_code'),
      }
    }
    const asked = await lanes.one(by(asking))
    if (asked.won || asked.said !== '200') throw new Error(`Not asked for: ${asked.said}`)
    const shots = Array.from({ length: count }, () => by(carrying))
    // Who comes after it was carried out asks for another one, which it takes somebody else to carry out.
    return { shots, person: target, events: ['second-factor-reset'], refusals: ['200', '409'] }
  },
  'password and code in one field': async ({ nodes }, random, count) => {
    const person = await makePerson(nodes.beside, 'enrolled')
    const address = `100.100.${random.below(256)}.${random.below(256)}`
    const basic = `${person.username}:${OLD_PASSWORD}${person.code('phone')}`
    const shots = Array.from({ length: count }, (): Shot => {
      return { way: 'program', request: placeRequest(nodes, { address }, { policy: 'programs', basic }) }
    })
    return { shots, person, events: ['code-window-opened'], refusals: ['401'], allPass: true }
  },
} as const satisfies Record<string, Making>
