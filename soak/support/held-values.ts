import { createHash } from 'node:crypto'
import { inviteUser } from '../../src/actions/invite-user.ts'
import { makeAppPasswordFor } from '../../src/actions/make-app-password.ts'
import { readBasic, readRequest } from '../../src/authorizer/request.ts'
import type { SealContext } from '../../src/crypto/sealer.ts'
import { callerProof } from '../../src/domain/caller-proof.ts'
import { formKeyOf, isFormKey, type Token } from '../../src/domain/token.ts'
import { BROWSER, halfSignedIn, LOGIN, operator, SESSION, stranger } from '../../test/http/journeys.ts'
import { CALLER_SECRET, type Enrolled, type Reply, startWorld, type World } from '../../test/world.ts'

/** Something that opens a door to whoever holds it, and the door. */
export interface Held {
  readonly kind: string
  readonly value: string
  /** Whether the door opens to a value; the true one still opens it after. */
  readonly opens: (value: string) => Promise<boolean>
  /** What is the true value in another spelling. */
  readonly isSame: (value: string) => boolean
  /** Whether it says by itself whose it is; another's is then another's rightly. */
  readonly isOfBearer: boolean
}

/** Two people with everything that people hold, in a world without waits. */
export interface HeldWorld {
  readonly world: World
  readonly held: readonly Held[]
  /** Texts that are something elsewhere, or the hash under which it is stored. */
  readonly others: readonly string[]
}

const HOST = 'https://wiki.example.net'
const OTHER = 'https://shop.example.org'
const plenty = { networkLimit: 1e9, siteLimit: 1e9, serverLimit: 1e9 }

export async function startHeldWorld(): Promise<HeldWorld> {
  const world = await startWorld({ config: { throttle: plenty, login: { returnOrigins: [HOST, OTHER] } } })
  const people = [await world.enrolled('first.holder'), await world.enrolled('second.holder')]
  const ofPeople = await Promise.all(people.map((person) => heldBy(world, person)))
  const sealed = await sealedOf(world)
  const isCaller = callerProof(CALLER_SECRET)
  const held: Held[] = [
    ...ofPeople.flat(),
    ...sealed,
    exact('secret of a proxy', CALLER_SECRET, async (value) => isCaller(value)),
  ]
  const browsers = people.map(({ browser }) => browser.cookies.get(BROWSER) ?? '')
  const others = [...held.map(({ value }) => value), ...browsers]
  return {
    world,
    held,
    others: [...others, ...others.map((value) => createHash('sha256').update(value).digest('base64url'))],
  }
}

/** What opens where it belongs only. */
const exact = (kind: string, value: string, opens: Held['opens']): Held => ({
  ...{ kind, value, opens, isOfBearer: false },
  isSame: (other) => other === value,
})

/** A cookie may have spaces around it, and ends before a semicolon (RFC 6265 §5.2). */
const cookie = (kind: string, value: string, opens: Held['opens']): Held => ({
  ...{ kind, value, opens, isOfBearer: true },
  isSame: (other) => (other.split(';', 1)[0] ?? '').trim() === value,
})

async function heldBy(world: World, person: Enrolled): Promise<Held[]> {
  const { username, browser } = person
  const session = browser.cookies.get(SESSION) ?? ''
  const waiting = await halfSignedIn(world, username)
  const login = waiting.cookies.get(LOGIN) ?? ''
  const site = await enter(world, person)
  const { wait, ticket } = await setOut(world, person)
  const id = await world.user(`new-${username}`)
  const invited = await inviteUser(world.services, { id }, operator)
  if (invited.kind !== 'invited') throw new Error(invited.kind)
  const wanted = { name: 'git', policies: ['two-factor'], days: undefined }
  const made = await makeAppPasswordFor(world.services, username, { wanted, by: operator })
  if (made.kind !== 'made') throw new Error(made.kind)
  return [
    cookie('session', session, async (value) => (await withCookie(world, SESSION, value)).status === 200),
    cookie('login', login, async (value) =>
      (await withCookie(world, LOGIN, value, '/login')).text.includes(username),
    ),
    cookie('session at a host', site, async (value) => {
      const asked = { cookie: `__Host-watchword-site=${value}` }
      return (await ask(world, asked)).kind === 'allow'
    }),
    // Only the damaged ones are brought, because the whole one works once.
    exact(
      'ticket',
      ticket,
      async (value) => value !== ticket && (await arrive(world, { wait, ticket: value })),
    ),
    cookie('mark of a browser that waits', wait, async (value) => {
      return value !== wait && (await arrive(world, { wait: value, ticket }))
    }),
    {
      ...exact('invitation', invited.invitation.token, async (code) => {
        // A password that nobody may have, so that nothing is used up.
        const reply = await stranger(world).post('/auth/invitation/', { code, password: 'x' })
        return reply.status !== 404 && !(reply.status === 400 && /^code:/.test(reply.body.error))
      }),
      isOfBearer: true,
    },
    {
      kind: 'app password',
      value: made.appPassword,
      opens: async (password) => {
        const basic = readBasic(Buffer.from(username), Buffer.from(password))
        return (await ask(world, {}, basic)).kind === 'allow'
      },
      isOfBearer: false,
      // As people type it.
      isSame: (other) => typed(other) === typed(made.appPassword),
    },
    exact('key of a form', formKeyOf(session as Token), async (value) => isFormKey(value, session as Token)),
  ]
}

const typed = (text: string) =>
  text
    .replaceAll(/[ -]/g, '')
    .replaceAll(/[a-z]/g, (letter) => letter.toUpperCase())
    .replace(/(?<=_.*)O/g, '0')
    .replace(/(?<=_.*)[IL]/g, '1')

function withCookie(world: World, name: string, value: string, path = '/auth/session/'): Promise<Reply> {
  return stranger(world).get(path, { cookie: `${name}=${value}`, accept: 'text/html' })
}

type Asked = { readonly cookie?: string; readonly requestUri?: string; readonly host?: string }

function ask(
  world: World,
  { cookie, requestUri = '/page', host = new URL(HOST).host }: Asked,
  basic?: ReturnType<typeof readBasic>,
) {
  return world.edge.authorizer.decide(
    readRequest({
      ...{ policy: 'two-factor', clientAddress: '203.0.113.7', method: 'GET', scheme: 'https', host },
      ...{ requestUri, cookie, authorization: basic, accept: 'text/html' },
      ...{ fetchMode: undefined, requestedWith: undefined },
    }),
  )
}

/** The way from a host to our pages, up to the ticket. */
async function setOut(world: World, { browser }: Enrolled): Promise<{ wait: string; ticket: string }> {
  const sent = await ask(world, {})
  if (sent.kind !== 'redirect') throw new Error(sent.kind)
  const [, wait = ''] = /=([^;]+)/.exec(sent.cookies?.[0] ?? '') ?? []
  const { pathname, search } = new URL(sent.location)
  const { headers } = await browser.get(pathname + search, { accept: 'text/html' })
  const [, ticket = ''] = /watchword_ticket=(.*)$/.exec(headers.get('location') ?? '') ?? []
  return { wait, ticket }
}

async function arrive(world: World, { wait, ticket }: { wait: string; ticket: string }): Promise<boolean> {
  const asked = { cookie: `__Host-watchword-wait=${wait}`, requestUri: `/page?watchword_ticket=${ticket}` }
  const answer = await ask(world, asked)
  return answer.kind === 'redirect' && answer.cookies?.some((line) => /-site=/.test(line)) === true
}

async function enter(world: World, person: Enrolled): Promise<string> {
  const { wait, ticket } = await setOut(world, person)
  const cookie = `__Host-watchword-wait=${wait}`
  const answer = await ask(world, { cookie, requestUri: `/page?watchword_ticket=${ticket}` })
  const cookies = answer.kind === 'redirect' ? (answer.cookies ?? []) : []
  return /-site=([^;]+)/.exec(cookies.join('\n'))?.[1] ?? ''
}

/** The sealed keys of devices, each at its own place and at those of others. */
async function sealedOf({ services: { db, sealer } }: World): Promise<Held[]> {
  const rows = await db.selectFrom('otp_device').select(['id', 'user_id', 'sealed_key']).execute()
  return rows.map(({ id, user_id, sealed_key }) => {
    const place: SealContext = { purpose: 'otp-key', userId: user_id, deviceId: id }
    return exact('sealed key', sealed_key, async (value) => sealer.opens(value, place))
  })
}
